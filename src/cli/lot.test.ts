import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CATALOGUE } from '../lot/diagnostic-catalogue.js'
import { runMerlot } from './cli.fixture.js'
import { NICE, notebook, PUMP, UGLY, WRONG } from './lot.fixture.js'

t.test('check: files, folders, notebooks and standard input', async (t) => {
  const workingDirectory = t.testdir({
    'pump.lot': PUMP,
    'pump.txt': PUMP,
    'wrong.lot': WRONG,
    plant: {
      'a.lot': 'DEFINE MODEL Child FROM Base WITH TOPIC "c"\n    ADD INT "y" WITH 1\n',
      'b.lot': 'DEFINE MODEL Base WITH TOPIC "b"\n    ADD INT "x" WITH TOPIC "x" AS TRIGGER\n',
      'again.lotnb': notebook('DEFINE ACTION Same\nON START DO\n    PUBLISH TOPIC "s" WITH 1\n'),
      'same.lot': 'DEFINE ACTION Same\nON START DO\n    PUBLISH TOPIC "s" WITH 1\n',
    },
    'plant.lotnb': notebook(PUMP, WRONG),
    'damaged.lotnb': '[{"kind": 7}]',
  })
  const check = (...args: string[]) => runMerlot(['lot', 'check', ...args], { workingDirectory, stdin: WRONG })
  t.match(await check('pump.lot'), { exitCode: 0, stdout: '6 entities: 0 errors, 0 warnings\n' })
  t.match(await check('wrong.lot'), { exitCode: 1, stdout: /^wrong\.lot:3:28 error LOT3001: .*\n {2}3 \| / })
  t.match(await check('-'), { exitCode: 1, stdout: /^stdin\.lot:3:28 error/ })
  t.match(await check('plant.lotnb'), { exitCode: 1, stdout: /^plant\.lotnb cell 2:3:28 error/ })
  t.match(await check('damaged.lotnb'), { exitCode: 1, stdout: /^damaged\.lotnb cell 1: error: / })
  const project = await check('plant')
  t.equal(project.exitCode, 0, 'a parent in another file is known')
  t.match(project.stdout, /warning: action Same is defined in plant\/again\.lotnb cell 1 and again in plant\/same\.lot/)
  t.match(await check('plant', '--strict'), { exitCode: 1 })
  t.match(await check('plant/a.lot'), { exitCode: 1, stdout: /Base/ })
  t.match(await check('none.lot'), { exitCode: 2, stderr: /^merlot: cannot read none\.lot: no such file/ })
  t.match(await check('none'), { exitCode: 2, stderr: /^merlot: cannot read none: no such file or folder\ngive \.lot/ })
  t.match(await check('pump.txt'), { exitCode: 2, stderr: /^merlot: pump\.txt is not a file that .*\ngive \.lot/ })
  t.match(await check(), { exitCode: 2, stderr: /missing required argument 'files'/ })
})

t.test('check --json: places from 1, for editors', async (t) => {
  const workingDirectory = t.testdir({ 'plant.lotnb': notebook(PUMP, WRONG) })
  const { stdout, exitCode } = await runMerlot(['lot', 'check', 'plant.lotnb', '--json'], { workingDirectory })
  t.equal(exitCode, 1)
  t.match(JSON.parse(stdout), {
    diagnostics: [
      {
        file: 'plant.lotnb',
        cell: 2,
        code: 'LOT3001',
        severity: 'error',
        line: 3,
        column: 28,
        endLine: 3,
        endColumn: 37,
        suggestions: [/pressure/],
      },
    ],
    problems: [],
    warnings: [],
  })
})

t.test('check --compat v1 accepts quoted names', async (t) => {
  const workingDirectory = t.testdir({ 'old.lot': 'DEFINE ACTION "Old"\nON START DO\n    PUBLISH TOPIC "s" WITH 1\n' })
  const check = (...args: string[]) => runMerlot(['lot', 'check', 'old.lot', ...args], { workingDirectory })
  t.match(await check(), { exitCode: 1 })
  t.match(await check('--compat', 'v1'), { exitCode: 0 })
})

t.test('fmt rewrites files and the cells of notebooks, and nothing else in them', async (t) => {
  const workingDirectory = t.testdir({
    'ugly.lot': UGLY,
    'crlf.lot': `\uFEFF${UGLY.replaceAll('\n', '\r\n')}`,
    'wrong.lot': 'DEFINE ACTION A\nON START DO\n      PUBLISH\n',
    'plant.lotnb': `${notebook(UGLY, NICE.trimEnd())}\n`,
  })
  const format = (...args: string[]) => runMerlot(['lot', 'fmt', ...args], { workingDirectory, stdin: UGLY })
  const read = (name: string): string => readFileSync(join(workingDirectory, name), 'utf8')
  t.match(await format('ugly.lot', '--check'), { exitCode: 1, stdout: 'ugly.lot would change\n' })
  t.match(await format('ugly.lot', '--stdout'), { exitCode: 0, stdout: NICE })
  t.equal(read('ugly.lot'), UGLY)
  t.match(await format('ugly.lot', 'crlf.lot', 'plant.lotnb'), {
    exitCode: 0,
    stdout: 'ugly.lot\ncrlf.lot\nplant.lotnb\n',
  })
  t.equal(read('ugly.lot'), NICE)
  t.equal(read('crlf.lot'), `\uFEFF${NICE.replaceAll('\n', '\r\n')}`)
  t.equal(read('plant.lotnb'), `${notebook(NICE, NICE.trimEnd())}\n`)
  t.match(await format('ugly.lot', 'plant.lotnb', '--check'), { exitCode: 0, stdout: '' })
  t.match(await format('-'), { exitCode: 0, stdout: NICE })
  t.match(await format('wrong.lot'), { exitCode: 1, stderr: /^wrong\.lot:3/ })
  t.match(read('wrong.lot'), /^ {6}PUBLISH$/m, 'what cannot be read stays as it is')
})

t.test('explain: each code, the nearest of one that is not there, all', async (t) => {
  t.match(await runMerlot(['lot', 'explain', 'lot3001']), {
    exitCode: 0,
    stdout: /^LOT3001 \(error\): .*\n\n.*\n[\s\S]*\nWrong:\n {4}/,
  })
  t.match(await runMerlot(['lot', 'explain', 'LOT300']), { exitCode: 2, stderr: /did you mean LOT3\d+\?/ })
  const { stdout } = await runMerlot(['lot', 'explain'])
  t.same(
    [...stdout.matchAll(/^LOT\d+/gm)].map(([code]) => code),
    Object.keys(CATALOGUE).toSorted(),
  )
  t.match(JSON.parse((await runMerlot(['lot', 'explain', 'LOT3001', '--json'])).stdout), {
    code: 'LOT3001',
    severity: 'error',
  })
})

const QUIET = `DEFINE ACTION Quiet
ON TOPIC "q" DO
    IF 1 > 2 THEN
        PUBLISH TOPIC "r" WITH 1
`

t.test('run: a message, what it triggers, and where it fails', async (t) => {
  const workingDirectory = t.testdir({ 'pump.lot': PUMP, 'wrong.lot': WRONG, 'quiet.lot': QUIET })
  const run = (...args: string[]) => runMerlot(['lot', 'run', 'pump.lot', ...args], { workingDirectory })
  const high = await run('-t', 'plant/p1/pressure', '-m', '7.2', '--value', 'plant/limit=5')
  t.match(high, {
    exitCode: 0,
    stdout:
      'action PumpAlarm publishes alarms/p1 "high"\n' +
      'model Pump publishes models/p1/pump {"pressure":7.2,"state":"on"}\n' +
      'action Count keeps count "1"\n',
  })
  t.match(await run('-t', 'plant/p1/pressure', '-m', '7.2', '--value', 'plant/limit=5', '--action', 'PumpAlarm'), {
    stdout: /^action PumpAlarm publishes alarms\/p1 "high"\naction Count keeps count "1"\n$/,
  })
  t.match(await run('--action', 'Add', '--input', 'a=1', '--input', 'b=2'), { exitCode: 0, stdout: 'output sum = 3\n' })
  t.match(await run('--advance', '2 minutes', '--value', 'count=7'), {
    stdout: /^(action Tick publishes tick "7"\n){2}$/,
  })
  t.match(await run('-t', 'nobody'), { exitCode: 0, stdout: 'no trigger matches nobody\n' })
  t.match(await runMerlot(['lot', 'run', 'quiet.lot', '-t', 'q'], { workingDirectory }), {
    stdout: 'nothing happens\n',
  })
  t.match(await run('-t', 'divide', '-m', '0'), {
    exitCode: 1,
    stdout: /^action Divide failed: .*\n {2}pump\.lot:28: PUBLISH/,
  })
  const json = JSON.parse((await run('-t', 'divide', '-m', '0', '--json', '--time', '2026-03-05T07:00:00Z')).stdout)
  t.match(json.events, [
    { entity: 'Divide', kind: 'failure', line: 3, place: 'pump.lot:28', at: '2026-03-05T07:00:00.000Z' },
  ])
  const wrong = await runMerlot(['lot', 'run', 'wrong.lot', '-t', 'a'], { workingDirectory })
  t.match(wrong, { exitCode: 1, stdout: '', stderr: /^wrong\.lot:3:28 error[\s\S]*merlot: nothing was run/ })
})

t.test('run: options that say nothing together', async (t) => {
  const workingDirectory = t.testdir({ 'pump.lot': PUMP })
  for (const [args, message] of [
    [[], /there is nothing to run/],
    [['-m', '1'], /the payload has no topic/],
    [['-t', 'a/#'], /is not a topic to publish to/],
    [['-t', 'a', '--input', 'a=1'], /--input is for a callable action/],
    [['-t', 'a', '--value', 'x'], /--value x has no value/],
    [['--advance', 'soon'], /"soon" is not a time/],
    [['-t', 'a', '--time', 'noon'], /"noon" is not a time/],
    [['--action', 'None'], /there is no action None/],
    [['--action', 'Add', '--input', 'c=1'], /action Add has no input c\nits inputs: a, b/],
  ] as const) {
    t.match(await runMerlot(['lot', 'run', 'pump.lot', ...args], { workingDirectory }), {
      exitCode: 2,
      stderr: message,
    })
  }
})
