import { spawnSync } from 'node:child_process'
import t from 'tap'
import { createLogger } from './log-output.js'

function collect(isTTY: boolean) {
  const lines: string[] = []
  return { lines, stream: { isTTY, write: (line: string) => lines.push(line) } }
}

t.test('JSON where no terminal is', async (t) => {
  const { lines, stream } = collect(false)
  const log = createLogger({ level: 'info', areas: {}, format: 'auto' }, stream)
  log.area('session').warn('queue full', { clientId: 'a\n\u001b\u009b\u202e', queued: 5, password: 'geheim' })
  t.equal(lines.length, 1)
  t.match(lines[0], /^[\x20-\x7e]+\n$/, 'nothing for a terminal to act on')
  t.match(JSON.parse(lines[0]!), {
    level: 'warn',
    area: 'session',
    msg: 'queue full',
    clientId: 'a\n\u001b\u009b\u202e',
    queued: 5,
    password: '***',
    time: /^\d{4}-\d\d-\d\dT.*Z$/,
  })
})

t.test('fields do not replace what belongs to the line', async (t) => {
  const { lines, stream } = collect(false)
  createLogger({ level: 'info', areas: {}, format: 'json' }, stream).info('m', {
    level: 'x',
    msg: 'y',
    time: 1,
    area: 'z',
  })
  t.match(JSON.parse(lines[0]!), {
    level: 'info',
    msg: 'm',
    area: 'broker',
    level_: 'x',
    msg_: 'y',
    time_: 1,
    area_: 'z',
  })
})

t.test('one readable line on a terminal, whatever clients send', async (t) => {
  const { lines, stream } = collect(true)
  const log = createLogger({ level: 'info', areas: {}, format: 'pretty' }, { ...stream, isTTY: false })
  log.info('connected', {
    clientId: 'x\u001b[2J\n[2026] ERROR: forged',
    topic: 'a b',
    empty: '',
    gone: undefined,
    token: 't',
  })
  t.equal(lines.join('').split('\n').length, 2)
  t.match(
    lines[0],
    /INFO: broker: connected \(clientId="x\\x1b\[2J\\x0a\[2026\] ERROR: forged" topic="a b" empty="" token=\*\*\*\)/,
  )
})

t.test('a line before the end of the process is written', async (t) => {
  const url = new URL('./log-output.js', import.meta.url).href
  const script = `const { createLogger } = await import(${JSON.stringify(url)})
    createLogger({ level: 'info', areas: {}, format: process.argv[1] }).error('last words')
    process.exit(3)`
  for (const format of ['json', 'pretty']) {
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script, format], {
      encoding: 'utf8',
    })
    t.equal(status, 3)
    t.match(stderr, /last words/, format)
  }
})
