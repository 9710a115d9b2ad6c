/** Section 8: Python scripts, from the command to the result of a call. */
import t from 'tap'
import { LotBroker } from './lot-broker.fixture.js'
import { type Envelope, retained } from './lot-user.fixture.js'

t.setTimeout(300_000)

const SCRIPT = `# Script Name: Stats
import json, math

calls = 0

def mean(values):
    data = json.loads(values)
    return sum(data) / len(data)

def describe(name, n, flag):
    return {"name": name, "n": n + 1, "flag": flag, "kind": type(n).__name__}

def count():
    global calls
    calls = calls + 1
    return calls

def nothing():
    return None

def fails(x):
    return 1 / int(x)

def endless():
    while True:
        pass
`

t.test('Python scripts', { timeout: 240_000 }, async (t) => {
  const broker = await LotBroker.start(t, { python: { callMsMax: 3_000 } })
  const user = await broker.connect()
  const call = (name: string, args: string): string =>
    `DEFINE ACTION ${name}\nON TOPIC "py/${name}" DO\n    CALL PYTHON "Stats.${name}" WITH (${args})\n        RETURN AS {v}\n    PUBLISH TOPIC "py/${name}/is" WITH {v}`

  await user.succeed(`-addAction ${call('mean', 'PAYLOAD')}`)
  t.match((await user.succeed('-getPendingStatus')).data, [{ name: 'mean', waitingFor: [/Stats/] }])
  t.match(await user.succeed(`-addPython ${SCRIPT}`), {
    command: 'AddPython',
    message: /Python script 'Stats' added successfully/,
  })
  t.same((await user.succeed('-getPendingStatus')).data, [])
  const [listed] = JSON.parse((await retained(broker, '$SYS/Coreflux/Python/Scripts')) ?? '[]')
  t.match(listed, { ScriptName: 'Stats', Code: SCRIPT.trimEnd() })
  t.match(JSON.stringify(listed.Functions), /mean.*describe/)

  t.equal(await user.answer('py/mean', '[1, 2, 6]', 'py/mean/is'), '3.0')
  await user.succeed(`-addAction ${call('describe', '"x", 41, PAYLOAD == "on"')}`)
  t.same(JSON.parse(await user.answer('py/describe', 'on', 'py/describe/is')), {
    name: 'x',
    n: 42,
    flag: true,
    kind: 'int',
  })
  await user.succeed(`-addAction ${call('count', '')}`)
  t.equal(await user.answer('py/count', '', 'py/count/is'), '1')
  t.equal(await user.answer('py/count', '', 'py/count/is'), '2', 'the script keeps its state')
  await user.succeed(`-addAction ${call('nothing', '')}`)
  t.equal(await user.answer('py/nothing', '', 'py/nothing/is'), 'null')

  await user.succeed(`-addAction ${call('fails', 'PAYLOAD')}`)
  const failed = JSON.parse(await user.answer('py/fails', '0', '$SYS/Coreflux/Actions/fails/Error'))
  t.match(failed, { action: 'fails', message: /ZeroDivisionError|division by zero/, line: 3 })
  t.equal(await user.answer('py/fails', '4', 'py/fails/is'), '0.25', 'later calls work')

  await user.succeed(`-addAction ${call('endless', '')}`)
  const from = user.heard.length
  await user.publish('py/endless', '')
  t.equal(await user.answer('py/fails', '2', 'py/fails/is'), '0.5')
  const stopped = await user.until(({ topic, text }) => topic.endsWith('Actions/endless/Error') && text !== '', {
    from,
  })
  t.match(JSON.parse(stopped.text).message, /3.?s|3.?000|time|long/i)

  const refused = async (text: string): Promise<Envelope> => {
    const answer = await user.command(`-addPython ${text}`)
    t.equal(answer.success, false, text)
    return answer
  }
  t.match((await refused('# Script Name: Broken\ndef f(:\n    return 1')).errors, [{ line: 2, column: Number }])
  t.match((await refused('def f():\n    return 1')).message, /Script Name/)
  await user.command('-addPython # Script Name: Evil\nimport os\ndef f():\n    return os.getcwd()')
  await user.succeed(
    '-addAction DEFINE ACTION Evil\nON TOPIC "evil" DO\n    CALL PYTHON "Evil.f" WITH () RETURN AS {v}\n    PUBLISH TOPIC "evil/is" WITH {v}',
  )
  await user.publish('evil', '')
  await user.caughtUp(() => broker.running.settled())
  t.same(user.onTopic('evil/is'), [])

  await user.succeed(`-addPython ${SCRIPT.replace('calls + 1', 'calls + 10')}`)
  t.equal(await user.answer('py/count', '', 'py/count/is'), '10', 'adding it again replaces it')
  await user.succeed('-removePython Stats')
  t.notMatch(await retained(broker, '$SYS/Coreflux/Python/Scripts'), /Stats/)
  t.match(JSON.stringify((await user.succeed('-getPendingStatus')).data), /Stats/)
})
