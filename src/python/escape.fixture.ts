/**
 * The worst case: JavaScript of an attacker runs in the sandbox's process, with every module of Node that can be had.
 * Prints JSON: for each way out what came of it. Argument: JSON of `EscapeTargets`.
 */
import fs from 'node:fs'
import { lockDown } from './lockdown.js'

export interface EscapeTargets {
  /** Of a TCP server on loopback. */
  readonly port: number
  /** Of a UDP socket on loopback. */
  readonly udpPort: number
  /** A file that anybody may read. */
  readonly file: string
  /** A folder that anybody may write. */
  readonly folder: string
  readonly pipe: string
  /** Whether to keep Node's modules as they are, so that the permission model alone decides. */
  readonly permissionModelOnly: boolean
}

const targets = JSON.parse(process.argv[2]) as EscapeTargets
const { writeSync } = fs
const reached: Record<string, string> = {}
/** Time for what is asynchronous to get through. */
const WAIT_MS = 300

async function attempt(name: string, way: () => unknown): Promise<void> {
  try {
    const outcome: unknown = await Promise.race([
      way(),
      new Promise((resolve) => setTimeout(resolve, WAIT_MS, 'nothing')),
    ])
    reached[name] =
      outcome === 'nothing' || outcome === undefined ? 'nothing' : `reached: ${String(outcome).slice(0, 80)}`
  } catch (thrown) {
    reached[name] = `refused: ${thrown instanceof Error ? thrown.message : String(thrown)}`
  }
}

/** Not known to the compiler, so that each is looked up when it is wanted. */
// biome-ignore lint/suspicious/noExplicitAny: an attacker has no types
async function node(name: string): Promise<any> {
  return import(`node:${name}`)
}

// biome-ignore lint/suspicious/noExplicitAny: an attacker has no types
const anyProcess = process as any
// biome-ignore lint/suspicious/noExplicitAny: an attacker has no types
const anyGlobal = globalThis as any

async function attemptFiles(): Promise<void> {
  const { file, folder } = targets
  await attempt('fs.readFileSync', async () => (await node('fs')).readFileSync(file, 'utf8'))
  await attempt('fs.promises.readFile', async () => (await node('fs/promises')).readFile(file, 'utf8'))
  await attempt('fs.openSync', async () => (await node('fs')).openSync(file))
  await attempt('fs.readdirSync', async () => (await node('fs')).readdirSync('/'))
  await attempt('fs.createReadStream', async () => {
    const stream = (await node('fs')).createReadStream(file)
    return new Promise((resolve, reject) => stream.on('data', resolve).on('error', reject))
  })
  await attempt('fs.writeFileSync', async () => (await node('fs')).writeFileSync(`${folder}/written`, 'x') ?? 'written')
  await attempt('fs.symlinkSync', async () => (await node('fs')).symlinkSync(file, `${folder}/link`) ?? 'linked')
  await attempt('process.report', () => anyProcess.report.writeReport(`${folder}/report`))
  await attempt('import of a file', () => import(`${folder}/module.mjs`))
  await attempt('process.dlopen', () => anyProcess.dlopen({ exports: {} }, `${folder}/native.node`) ?? 'loaded')
  await attempt('v8.writeHeapSnapshot', async () => (await node('v8')).writeHeapSnapshot(`${folder}/heap`))
}

async function attemptProcesses(): Promise<void> {
  await attempt('child_process.execSync', async () => (await node('child_process')).execSync('echo out').toString())
  await attempt('child_process.spawn', async () => (await node('child_process')).spawn('echo', ['out']).pid)
  await attempt('worker_threads.Worker', async () => {
    const { Worker } = await node('worker_threads')
    return new Worker('', { eval: true }).threadId
  })
  await attempt('cluster.fork', async () => (await node('cluster')).default.fork().id)
  await attempt('process.binding', () => anyProcess.binding('spawn_sync').spawn)
  await attempt('inspector.open', async () => (await node('inspector')).open(0, '127.0.0.1') ?? 'open')
}

/** Signals to the parent: not where they would arrive. */
async function attemptSignals(): Promise<void> {
  await attempt('process.kill', () => anyProcess.kill(anyProcess.ppid, 0))
  await attempt('process._kill', () => anyProcess._kill(1, 0))
  await attempt('process._debugProcess', () => anyProcess._debugProcess(anyProcess.ppid) ?? 'signalled')
  await attempt('process._linkedBinding', () => anyProcess._linkedBinding('x'))
  await attempt('process.execve', () => anyProcess.execve('/bin/echo', ['out']))
  await attempt('process.getBuiltinModule', () => anyProcess.getBuiltinModule('child_process').execSync)
}

async function attemptNetwork(): Promise<void> {
  const { port, udpPort, pipe } = targets
  const connected = (socket: { on(event: string, listener: (value: unknown) => void): unknown }): Promise<unknown> =>
    new Promise((resolve, reject) => {
      socket.on('connect', () => resolve('connected'))
      socket.on('error', reject)
    })
  await attempt('net.connect', async () => connected((await node('net')).connect(port, '127.0.0.1')))
  await attempt('new net.Socket().connect', async () => {
    const { Socket } = await node('net')
    return connected(new Socket().connect(port, '127.0.0.1'))
  })
  await attempt('net.connect to a pipe', async () => connected((await node('net')).connect(pipe)))
  await attempt('net.createServer', async () => {
    const server = (await node('net')).createServer()
    return new Promise((resolve, reject) => server.on('error', reject).listen(0, '127.0.0.1', () => resolve('listens')))
  })
  await attempt('tls.connect', async () => connected((await node('tls')).connect(port, '127.0.0.1')))
  await attempt('http.get', async () => {
    const { get } = await node('http')
    return new Promise((resolve, reject) => get(`http://127.0.0.1:${port}/`, resolve).on('error', reject))
  })
  await attempt('http2.connect', async () => connected((await node('http2')).connect(`http://127.0.0.1:${port}/`)))
  await attempt('fetch', () => anyGlobal.fetch(`http://127.0.0.1:${port}/`))
  await attempt('WebSocket', () => new anyGlobal.WebSocket(`ws://127.0.0.1:${port}/`).url)
  await attempt('dgram.send', async () => {
    const socket = (await node('dgram')).createSocket('udp4')
    return new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.send('out', udpPort, '127.0.0.1', (failed: Error | null) => (failed ? reject(failed) : resolve('sent')))
    })
  })
  await attempt('dns.lookup', async () => (await node('dns/promises')).lookup('localhost'))
  await attempt('dns.resolve', async () => new (await node('dns/promises')).Resolver().resolve4('localhost'))
}

async function attemptCode(): Promise<void> {
  await attempt('eval', () => anyGlobal.eval('1 + 1'))
  await attempt('Function', () => anyGlobal.Function('return 1 + 1')())
  await attempt('constructor of a function', () => (async () => {}).constructor('return 1')())
  await attempt('vm.runInThisContext', async () => (await node('vm')).runInThisContext('1 + 1'))
  await attempt('vm.Script', async () => new (await node('vm')).Script('1 + 1').runInNewContext())
  await attempt('Module._load', async () => (await node('module')).default._load('child_process'))
  await attempt('module.createRequire', async () => (await node('module')).createRequire('/')('child_process').execSync)
  await attempt('import of data:', async () => {
    const loaded = (await import(
      `data:text/javascript,import net from 'node:net'; export default net.connect(${targets.port}, '127.0.0.1')`
    )) as {
      default: Parameters<typeof connectedOf>[0]
    }
    return connectedOf(loaded.default)
  })
}

function connectedOf(socket: { on(event: string, listener: (value: unknown) => void): unknown }): Promise<unknown> {
  return new Promise((resolve, reject) => {
    socket.on('connect', () => resolve('connected'))
    socket.on('error', reject)
  })
}

process.on('uncaughtException', () => {}) // of sockets that nobody looks at any more
if (!targets.permissionModelOnly) lockDown()
await attemptFiles()
await attemptProcesses()
if (!targets.permissionModelOnly) {
  await attemptSignals()
  await attemptNetwork()
  await attemptCode()
}
writeSync(1, JSON.stringify(reached))
process.exit(0)
