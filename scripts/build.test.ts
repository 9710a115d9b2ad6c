/** The program as `npm run build` packs it, which is what users run; all other tests run what the compiler has made. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connectAsync } from 'mqtt'
import t, { type Test } from 'tap'
import { packageFolder } from '../src/base/version.js'

const run = promisify(execFile)
const ACTION = `DEFINE ACTION Doubler
ON TOPIC "in" DO
    CALL PYTHON "Arithmetic.double" WITH (PAYLOAD AS INT) RETURN AS {answer}
    PUBLISH TOPIC "out" WITH {answer}
`
const SCRIPT = `# Script Name: Arithmetic
def double(number):
    return number * 2
`

/** Packed into a folder of the package: packages are looked for from there. */
function buildFolder(t: Test): string {
  const folder = mkdtempSync(join(packageFolder(), 'dist/packed-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const PASSWORD = 'of-this-test-alone'
const LOOK_MS = 50
const LOOKS_MAX = 400

/** The Action is deployed when its command has been carried out, which nobody here is told of. */
async function until(t: Test, isSo: () => Promise<boolean>): Promise<void> {
  for (let look = 0; !(await isSo()); look++) {
    if (look > LOOKS_MAX) return void t.fail('nothing came')
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

async function start(
  t: Test,
  program: string,
  data: string,
): Promise<{ broker: ChildProcess; urls: readonly string[] }> {
  const args = [program, 'start', '--port', '0', '--ws-port', '0', '--data', data]
  const broker = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, MERLOT_ROOT_PASSWORD: PASSWORD },
  })
  t.teardown(() => broker.kill('SIGKILL'))
  let said = ''
  const urls = await new Promise<readonly string[]>((resolve, reject) => {
    const onOutput = (chunk: Buffer): void => {
      said += chunk.toString()
      const found = [...said.matchAll(/^listening on (\S+)$/gm)].map(([, url]) => url)
      if (found.length === 2) resolve(found)
    }
    broker.stdout.on('data', onOutput)
    broker.stderr.on('data', onOutput)
    broker.once('exit', (code) => reject(new Error(`it ended with ${code}\n${said}`)))
  })
  return { broker, urls }
}

t.test('the packed program does what the compiled one does', { timeout: 120_000 }, async (t) => {
  const folder = buildFolder(t)
  await run(process.execPath, [join(packageFolder(), 'scripts/build.js'), folder])
  const program = join(folder, 'merlot.js')
  if (process.platform !== 'win32') t.equal(statSync(program).mode & 0o111, 0o111, 'npx runs it')
  const data = t.testdir({})
  const merlot = async (...args: string[]): Promise<string> =>
    (await run(process.execPath, [program, ...args])).stdout.toString()

  const { broker, urls } = await start(t, program, data)
  const owner = ['--data', data]
  t.match(await merlot('command', ...owner, `-addPython ${SCRIPT}`), /Arithmetic/)
  for (const [place, url] of urls.entries()) {
    const client = await connectAsync(url, { username: 'root', password: PASSWORD, reconnectPeriod: 0 })
    const answer = new Promise<string>((resolve) => {
      client.on('message', (topic, payload) => topic === 'out' && resolve(payload.toString()))
    })
    await client.subscribeAsync('out', { qos: 1 })
    if (place === 0) await client.publishAsync('$SYS/Coreflux/Command', `-addAction ${ACTION}`, { qos: 1 })
    await until(t, async () => {
      await client.publishAsync('in', '21', { qos: 1 })
      return (await Promise.race([answer, undefined])) !== undefined
    })
    t.equal(await answer, '42', url.split(':', 1)[0])
    await client.endAsync()
  }
  const ended = once(broker, 'exit')
  broker.kill('SIGTERM')
  t.same(await ended, [0, null])
  t.match(await merlot('store', 'verify', ...owner), /: sound/)
})
