import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { encodeText } from '../base/bytes.js'
import { recordingLine } from '../lot-simulator/recording.js'
import { CACHE_FOLDER } from '../python/scripts.fixture.js'
import { wheelFile, wheelOf } from '../python/wheel.fixture.js'
import { type CommandResult, runMerlot } from './cli.fixture.js'

// the first start of Python ever takes seconds
t.setTimeout(120_000)

const BOILER = `DEFINE ACTION Convert
ON TOPIC "boiler/raw" DO
    CALL PYTHON "Boiler.convert" WITH (PAYLOAD, 2) RETURN AS {result}
    PUBLISH TOPIC "boiler/converted" WITH {result}

DEFINE ACTION Rate
ON TOPIC "boiler/rate" DO
    CALL PYTHON "Prices.rate" WITH (PAYLOAD) RETURN AS {rate}
    PUBLISH TOPIC "boiler/price" WITH {rate}
`
const SCRIPT = `# Script Name: Boiler
import this
calls = 0

def convert(text, factor):
    global calls
    calls += 1
    print("call", calls)
    return {"value": float(text) * factor, "calls": calls}
`
const TESTS = `python:
  Prices.rate: 3
cases:
  - name: converts
    given:
      - publish: { topic: boiler/raw, payload: 1.5 }
      - publish: { topic: boiler/raw, payload: 2 }
    expect:
      - { topic: boiler/converted, json: { value: 3, calls: 1 } }
      - { topic: boiler/converted, json: { value: 4, calls: 2 } }
  - name: begins afresh
    given:
      - publish: { topic: boiler/raw, payload: 1 }
      - publish: { topic: boiler/rate, payload: "?" }
    expect:
      - { topic: boiler/converted, json: { value: 2, calls: 1 } }
      - { topic: boiler/price, payload: 3 }
  - name: fails
    given:
      - publish: { topic: boiler/raw, payload: hot }
    failures: [could not convert string to float]
`

t.test('Python runs where its scripts are among the files', async (t) => {
  const recording = ['1', 'hot', '2'].map((payload, atMs) =>
    recordingLine({ atMs, topic: 'boiler/raw', payload: encodeText(payload), qos: 0, retain: false }),
  )
  const workingDirectory = t.testdir({
    'boiler.lot': BOILER,
    'boiler.py': SCRIPT,
    'boiler.test.lot.yaml': TESTS,
    'double.lot': BOILER.replace('(PAYLOAD, 2)', '(PAYLOAD, 4)'),
    'broken.py': '# Script Name: Boiler\ndef convert(:\n',
    'recording.jsonl': recording.join('\n'),
  })
  const lot = (command: string, ...args: readonly string[]): Promise<CommandResult> =>
    runMerlot(['lot', command, '--python-module', 'this', ...args], {
      workingDirectory,
      environment: { XDG_CACHE_HOME: CACHE_FOLDER },
    })
  const message = ['--topic', 'boiler/raw', '--payload', '1.5']

  const run = await lot('run', 'boiler.lot', 'boiler.py', ...message)
  t.match(run, { exitCode: 0, stdout: /boiler\/converted.*"value":3\.0,"calls":1/, stderr: 'Boiler prints: call 1\n' })
  t.match(await lot('run', 'boiler.lot', ...message), {
    exitCode: 1,
    stdout: /the Python script Boiler is not among the files; name its file too/,
  })
  t.match(await lot('run', 'boiler.lot', 'broken.py', ...message), {
    exitCode: 1,
    stderr: /Python script Boiler, line 2: .*\n.*a broker would refuse it too/,
  })
  const tests = await lot('test', 'boiler.test.lot.yaml')
  t.equal(tests.exitCode, 0, tests.stdout)
  t.match(tests.stdout, /3 passed, 0 failed/)

  const versions = ['--with', 'double.lot', '--against', 'boiler.lot', '--against', 'boiler.py']
  const replay = await lot('replay', 'recording.jsonl', ...versions)
  t.match(
    replay.stdout,
    /"value":2\.0,"calls":1.* becomes .*"value":4\.0,"calls":1/,
    'scripts that the new version lacks are those of the old one, each with variables of its own',
  )
  t.match(replay.stdout, /3 messages replayed, 0 left out, 2 differences/)
})

t.test('packages come from a folder of wheels', async (t) => {
  const action = `DEFINE ACTION Twice
ON TOPIC "raw" DO
    CALL PYTHON "Uses.twice" WITH (PAYLOAD) RETURN AS {result}
    PUBLISH TOPIC "done" WITH {result}
`
  const script = '# Script Name: Uses\nimport demo\ndef twice(x): return demo.double(int(x))\n'
  const workingDirectory = t.testdir({ 'a.lot': action, 'uses.py': script, wheels: {}, damaged: {} })
  writeFileSync(join(workingDirectory, 'wheels', wheelFile('demo')), wheelOf())
  writeFileSync(join(workingDirectory, 'damaged', wheelFile('demo')), 'x')
  const run = (...more: string[]): Promise<CommandResult> =>
    runMerlot(['lot', 'run', 'a.lot', 'uses.py', '--topic', 'raw', '--payload', '21', ...more], {
      workingDirectory,
      environment: { XDG_CACHE_HOME: CACHE_FOLDER },
    })
  t.match(await run('--wheels', 'wheels'), { exitCode: 0, stdout: 'action Twice publishes done "42"\n' })
  t.match(await run(), { exitCode: 1, stderr: /Module 'demo' is not allowed: no package that is installed has it/ })
  t.match(await run('--wheels', 'damaged'), { exitCode: 1, stderr: /\.whl: .*the archive cannot be read/ })
  t.match(await run('--wheels', 'none'), {
    exitCode: 1,
    stderr: /the folder of wheels .*none cannot be read: no such file or directory$/m,
  })
})
