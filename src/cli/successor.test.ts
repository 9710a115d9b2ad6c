import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { createSinkLogger, type LogRecord } from '../base/log.js'
import { awaitPredecessor, planSuccession } from './successor.js'

const NOW = 1_800_000_000_000

t.test('a successor is started where nobody else does that', async (t) => {
  t.equal(planSuccession({ PATH: '/bin' }, 77, NOW).kind, 'start')
  t.match(planSuccession({}, 1, NOW), { kind: 'none', reason: /container/ })
  t.match(planSuccession({ INVOCATION_ID: 'x' }, 77, NOW), { kind: 'none', reason: /INVOCATION_ID/ })
  t.match(planSuccession({ NOTIFY_SOCKET: '/run/x' }, 77, NOW), { kind: 'none', reason: /NOTIFY_SOCKET/ })
})

t.test('a successor that ends alike at once has none', async (t) => {
  const after = (ms: number) => planSuccession({ MERLOT_PREDECESSOR: `76 ${NOW - ms}` }, 77, NOW)
  t.match(after(1), { kind: 'none', reason: /less than 60 s/ })
  t.equal(after(59_999).kind, 'none')
  t.equal(after(60_000).kind, 'start')
  t.equal(after(-1_000).kind, 'none', 'the clock was set back')
  for (const text of ['', 'x', '76', '76 x', `76 ${NOW} 1`]) {
    t.equal(planSuccession({ MERLOT_PREDECESSOR: text }, 77, NOW).kind, 'start', `"${text}" says nothing`)
  }
})

t.test('a predecessor that is gone is not waited for', async (t) => {
  const records: LogRecord[] = []
  const log = createSinkLogger({ level: 'info', areas: {} }, (record) => records.push(record))
  await awaitPredecessor({}, log)
  t.same(records, [])
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  await once(child, 'exit')
  await awaitPredecessor({ MERLOT_PREDECESSOR: `${child.pid} ${NOW}` }, log)
  t.match(records, [{ fields: { predecessor: child.pid } }])
})

t.test('a predecessor that is still there is waited for', async (t) => {
  const own = JSON.stringify(new URL('./successor.js', import.meta.url).href)
  const logs = JSON.stringify(new URL('../base/log.js', import.meta.url).href)
  const successor = `
    const { awaitPredecessor } = await import(${own})
    const { silentLogger } = await import(${logs})
    process.stdout.write('waiting\\n')
    await awaitPredecessor(process.env, silentLogger)
    process.stdout.write('going on\\n')`
  // ends when it is told to, and not in order
  const predecessor = `
    const { spawn } = await import('node:child_process')
    const env = { ...process.env, MERLOT_PREDECESSOR: process.pid + ' ' + Date.now() }
    spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(successor)}], { env, stdio: 'inherit' })
    process.stdin.on('data', () => process.kill(process.pid, 'SIGKILL'))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', predecessor], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString()
  })
  while (said === '') await once(child.stdout, 'data')
  await Promise.race([once(child.stdout, 'data'), new Promise((resolve) => setTimeout(resolve, 50))])
  t.equal(said, 'waiting\n')
  child.stdin.write('end\n')
  await once(child, 'close')
  t.equal(said, 'waiting\ngoing on\n')
})
