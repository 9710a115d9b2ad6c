import t from 'tap'
import { runMerlot } from './cli.fixture.js'
import { PUMP, WRONG } from './lot.fixture.js'

const TESTS = `
- name: the alarm
  given:
    - keep: { topic: plant/limit, payload: 5 }
    - publish: { topic: plant/p1/pressure, payload: 7.2 }
  expect:
    - { topic: alarms/p1, payload: high }
    - { topic: models/p1/pump, includes: { pressure: 7.2 } }
  kept: { count: 1 }
- name: time goes by
  given:
    - advance: 90 seconds
  expect:
    - { topic: tick }
    - { topic: tock, payload: x }
- name: a failure
  given:
    - publish: { topic: divide, payload: 0 }
`

t.test('examples beside the code', async (t) => {
  const workingDirectory = t.testdir({
    plant: { 'pump.lot': PUMP, 'pump.test.lot.yaml': TESTS },
    'wrong.test.lot.yaml': 'files: [wrong.lot]\ncases:\n  - name: a\n',
    'wrong.lot': WRONG,
    'alone.test.lot.yaml': '- name: a\n',
    'bad.test.lot.yaml': '- name: a\n  given:\n    - publsh: 1\n',
    empty: {},
  })
  const test = (...args: string[]) => runMerlot(['lot', 'test', ...args], { workingDirectory })
  const { exitCode, stdout } = await test('plant')
  t.equal(exitCode, 1)
  t.equal(
    stdout.replace(/failed: .* \(/, 'failed: … ('),
    `ok      plant/pump.test.lot.yaml: the alarm
FAILED  plant/pump.test.lot.yaml:10: time goes by
            tick ""
          - tock "x"
FAILED  plant/pump.test.lot.yaml:16: a failure
          + action Divide failed: … (plant/pump.lot:28)
1 passed, 2 failed
`,
  )
  t.equal((await test('plant/pump.lot')).stdout, stdout)
  t.match(JSON.parse((await test('plant/pump.test.lot.yaml', '--json')).stdout), [
    {
      file: 'plant/pump.test.lot.yaml',
      problems: [],
      cases: [{ name: 'the alarm', line: 2, differences: [] }, {}, {}],
    },
  ])
  t.match(await test('wrong.test.lot.yaml'), { exitCode: 1, stderr: /LOT3001[\s\S]*nothing was run/ })
  t.match(await test('alone.test.lot.yaml'), { exitCode: 1, stderr: /stands beside no alone\.lot/ })
  t.match(await test('bad.test.lot.yaml'), {
    exitCode: 1,
    stdout: /^bad\.test\.lot\.yaml:3: .*publsh[\s\S]*1 of the files/,
  })
  t.match(await test('empty'), { exitCode: 2, stderr: /there are no tests in empty/ })
})
