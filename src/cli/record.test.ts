import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { beginMerlot, runMerlot, startBrokerProcess } from './cli.fixture.js'

const OLD = `DEFINE ACTION Alarm
ON TOPIC "plant/+/pressure" DO
    IF PAYLOAD AS DOUBLE > 5 THEN
        PUBLISH TOPIC "alarms/" + TOPIC POSITION 2 WITH "high"
    PUBLISH TOPIC "seen" WITH GET TOPIC "plant/site"
`
const NEW = OLD.replace('> 5', '> 7').replace('WITH GET TOPIC', 'WITH "at " + GET TOPIC')

const RECORDING = [
  { atMs: 1_000, topic: 'plant/site', payload: 'north', qos: 0, retain: true },
  { atMs: 2_000, topic: 'plant/p1/pressure', payload: '6', qos: 0, retain: false },
  { atMs: 2_001, topic: 'alarms/p1', payload: 'high', qos: 0, retain: false },
  { atMs: 2_002, topic: 'seen', payload: 'north', qos: 0, retain: false },
  { atMs: 3_000, topic: 'plant/p1/pressure', payload: '8', qos: 0, retain: false },
  { atMs: 4_000, topic: 'other', payloadBase64: '/w==', qos: 0, retain: false },
]
  .map((line) => `${JSON.stringify(line)}\n`)
  .join('')

t.test('replay shows what a change would do', async (t) => {
  const workingDirectory = t.testdir({
    'old.lot': OLD,
    'new.lot': NEW,
    'traffic.jsonl': RECORDING,
    'bad.jsonl': '{}\n',
  })
  const replay = (...args: string[]) => runMerlot(['lot', 'replay', ...args], { workingDirectory })
  t.match(await replay('traffic.jsonl', '--with', 'new.lot', '--against', 'old.lot'), {
    exitCode: 1,
    stdout: `1970-01-01T00:00:02.000Z plant/p1/pressure "6"
  ~ seen "north" becomes seen "at north"
  - alarms/p1 "high"
1970-01-01T00:00:03.000Z plant/p1/pressure "8"
  ~ seen "north" becomes seen "at north"
4 messages replayed, 2 left out, 2 differences
`,
  })
  t.match(await replay('traffic.jsonl', '--with', 'old.lot', '--against', 'old.lot'), {
    exitCode: 0,
    stdout: '4 messages replayed, 2 left out, 0 differences\n',
  })
  const alone = await replay('traffic.jsonl', '--with', 'old.lot', '--only', 'plant/#', '--json')
  t.match(alone, { exitCode: 0 })
  t.match(JSON.parse(alone.stdout), {
    replayed: 3,
    leftOut: 3,
    steps: [{ topic: 'plant/p1/pressure', differences: ['+ alarms/p1 "high"', '+ seen "north"'] }, {}],
  })
  t.match(await replay('traffic.jsonl'), { exitCode: 2, stderr: /name it with --with/ })
  t.match(await replay('bad.jsonl', '--with', 'old.lot'), { exitCode: 1, stderr: /bad\.jsonl: line 1 is no recorded/ })
  t.match(await replay('none.jsonl', '--with', 'old.lot'), { exitCode: 2, stderr: /cannot read none\.jsonl/ })
})

t.test('with a broker', async (t) => {
  const { port } = await startBrokerProcess(t)
  const data = t.testdirName

  await t.test('record writes what is published, with what was retained', async (t) => {
    const workingDirectory = t.testdir({})
    await runMerlot(['pub', '-p', port, '-t', 'plant/site', '-m', 'north', '-r'])
    const args = ['record', '-p', port, '-f', 'plant/#', '-C', '3', '-o', 'traffic.jsonl']
    const recording = beginMerlot(args, { workingDirectory })
    await recording.stderr.find(/recording plant\/#/)
    await runMerlot(['pub', '-p', port, '-t', 'plant/p1', '-m', '7', '-q', '1'])
    await runMerlot(['pub', '-p', port, '-t', 'other', '-m', '7'])
    await runMerlot(['pub', '-p', port, '-t', 'plant/p2', '-m', 'ä'])
    t.equal(await recording.exitCode, 0)
    t.match(recording.stderr.text, /recorded 3 messages/)
    const lines = readFileSync(join(workingDirectory, 'traffic.jsonl'), 'utf8').trimEnd().split('\n')
    t.match(
      lines.map((line) => JSON.parse(line)),
      [
        { topic: 'plant/site', payload: 'north', retain: true, atMs: Number },
        { topic: 'plant/p1', payload: '7', retain: false, qos: 0 },
        { topic: 'plant/p2', payload: 'ä' },
      ],
    )
    const short = await runMerlot(['record', '-p', port, '--duration', '50 ms'])
    t.match(short, { exitCode: 0, stdout: /"topic":"plant\/site"/ })
    t.match(await runMerlot(['record', '--duration', 'soon']), { exitCode: 2, stderr: /"soon" is not a time/ })
    t.match(await runMerlot(['record', '-f', '#/a']), { exitCode: 2, stderr: /is not a topic filter/ })
  })

  await t.test('replay takes the older version from a broker', async (t) => {
    const workingDirectory = t.testdir({ 'new.lot': NEW, 'traffic.jsonl': RECORDING })
    const args = ['lot', 'replay', 'traffic.jsonl', '--with', 'new.lot', '--data', data]
    t.match(await runMerlot(args, { workingDirectory }), { exitCode: 1, stderr: /the broker has none of these/ })
    t.match(await runMerlot(['command', `-addAction ${OLD}`, '--data', data]), { exitCode: 0 })
    t.match(await runMerlot(args, { workingDirectory }), {
      exitCode: 1,
      stdout: /- alarms\/p1 "high"[\s\S]*2 differences/,
    })
  })
})
