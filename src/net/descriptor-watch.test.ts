import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createSinkLogger } from '../base/log.js'
import { Counter, createCountersMemory, openCounters } from '../contracts/counters.js'
import { DescriptorWatch } from './descriptor-watch.js'

const PROGRAM = fileURLToPath(new URL('./descriptor-watch.fixture.js', import.meta.url))
/** More than a program has open while it is loaded, and fewer than the clients of the test. */
const DESCRIPTORS_MAX = 256
const CLIENTS = 300

t.test('a shortage is told of once, then each minute, and so is its end', async (t) => {
  const counters = openCounters(createCountersMemory())
  const logged: string[] = []
  let isShort = false
  const log = createSinkLogger({ level: 'info', areas: {} }, ({ level }) => logged.push(level))
  const watch = new DescriptorWatch(counters, log, () => isShort)
  watch.check(0)
  isShort = true
  for (let ms = 500; ms < 61_000; ms += 500) watch.check(ms)
  isShort = false
  for (let ms = 61_000; ms < 63_000; ms += 500) watch.check(ms)
  t.same(logged, ['error', 'error', 'info'])
  t.equal(counters[Counter.descriptorShortages], 1)
})

const skip = process.platform === 'win32' ? 'there is no ulimit' : false

t.test('out of file descriptors: what is open goes on, and all is well when some are free', { skip }, async (t) => {
  const child = spawn('sh', ['-c', `ulimit -n ${DESCRIPTORS_MAX}; exec "$0" "$1"`, process.execPath, PROGRAM], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async (): Promise<Record<string, unknown>> => JSON.parse((await lines.next()).value as string)
  const { port } = (await next()) as { port: number }
  const echo = async (socket: Socket): Promise<string> => {
    socket.write('x')
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    return bytes.toString()
  }
  const open = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    return socket
  }
  const first = await open()
  t.equal(await echo(first), 'x')
  const others = await Promise.all(Array.from({ length: CLIENTS }, open))
  t.match(await next(), { message: /no file descriptor is left/ })
  t.equal(await echo(first), 'x')
  for (const socket of others) socket.destroy()
  t.match(await next(), { message: /file descriptors again/ })
  t.equal(await echo(await open()), 'x')
  child.kill('SIGTERM')
  t.same(await next(), { shortages: 1 })
})
