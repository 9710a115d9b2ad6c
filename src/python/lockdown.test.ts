import { spawn } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { EscapeTargets } from './escape.fixture.js'
import { sandboxFlags } from './sandbox-flags.js'

const FIXTURE = fileURLToPath(new URL('./escape.fixture.js', import.meta.url))
const SECRET = 'the content of a file'

async function attack(test: Test, permissionModelOnly: boolean): Promise<Outcome> {
  // a path short enough for a socket
  const folder = mkdtempSync(join(tmpdir(), 'merlot-'))
  test.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'secret.txt'), SECRET)
  writeFileSync(join(folder, 'module.mjs'), 'export const reached = true')
  let connections = 0
  let packets = 0
  const server = net.createServer(() => connections++).listen(0, '127.0.0.1')
  const pipe = process.platform === 'win32' ? String.raw`\\.\pipe\merlot-escape-test` : join(folder, 'pipe')
  const pipeServer = net.createServer(() => connections++).listen(pipe)
  const udp = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  udp.on('message', () => packets++)
  await Promise.all([once(server, 'listening'), once(pipeServer, 'listening'), once(udp, 'listening')])
  const targets: EscapeTargets = {
    port: (server.address() as AddressInfo).port,
    udpPort: udp.address().port,
    file: join(folder, 'secret.txt'),
    folder,
    pipe,
    permissionModelOnly,
  }
  const before = readdirSync(folder).sort()
  const child = spawn(process.execPath, [...sandboxFlags([]), FIXTURE, JSON.stringify(targets)], { env: {} })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  await once(child, 'close')
  await Promise.all(
    [server, pipeServer, udp].map((open) => new Promise((resolve) => open.close(resolve as () => void))),
  )
  if (output === '') throw new Error(`the attacker did not get to the end: ${errors}`)
  const made = readdirSync(folder).filter((name) => !before.includes(name) && name !== 'pipe')
  return { reached: JSON.parse(output) as Record<string, string>, connections, packets, made }
}

interface Outcome {
  readonly reached: Readonly<Record<string, string>>
  readonly connections: number
  readonly packets: number
  readonly made: readonly string[]
}

function nothingReached(test: Test, { reached, connections, packets, made }: Outcome): void {
  for (const [way, outcome] of Object.entries(reached)) test.notMatch(outcome, /^reached/, way)
  test.equal(connections, 0, 'nobody connected')
  test.equal(packets, 0, 'nobody sent')
  test.same(made, [], 'nothing was written')
}

t.test('JavaScript in the process reaches nothing outside of it', async (t) => {
  const outcome = await attack(t, false)
  t.ok(Object.keys(outcome.reached).length > 40, 'many ways were tried')
  nothingReached(t, outcome)
})

t.test('files, processes and threads stay closed where only the permission model holds', async (t) => {
  const outcome = await attack(t, true)
  const { reached } = outcome
  for (const way of ['fs.readFileSync', 'fs.promises.readFile', 'fs.writeFileSync', 'worker_threads.Worker']) {
    t.match(reached[way], /^refused/, way)
  }
  t.match(reached['child_process.execSync'], /^refused/)
  t.match(reached['import of a file'], /^refused/)
  t.same(outcome.made, [])
})

t.test('the permission model is named as the version of Node has it', async (t) => {
  t.equal(sandboxFlags([], '20.18.0')[0], '--experimental-permission')
  t.equal(sandboxFlags([], '22.12.0')[0], '--experimental-permission')
  t.equal(sandboxFlags([], '22.13.0')[0], '--permission')
  t.equal(sandboxFlags([], '23.4.0')[0], '--experimental-permission')
  t.equal(sandboxFlags([], '23.5.0')[0], '--permission')
  t.equal(sandboxFlags([], '24.0.0')[0], '--permission')
  t.equal(sandboxFlags([], '26.1.0')[0], '--permission')
})
