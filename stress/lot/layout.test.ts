/** Section 1 of the language: texts as people write them, and the switches that choose between readings. */
import t, { type Test } from 'tap'
import { LotBroker } from './lot-broker.fixture.js'
import type { LotUser } from './lot-user.fixture.js'

t.setTimeout(300_000)

interface Text {
  readonly name: string
  readonly lines: readonly string[]
  readonly ends?: string
  /** What a message `5` on `l/<name>` gives on `l/<name>/is`. */
  readonly gives: string
}

const TEXTS: readonly Text[] = [
  {
    name: 'Crlf',
    lines: ['ON TOPIC "l/Crlf" DO', '    PUBLISH TOPIC "l/Crlf/is" WITH PAYLOAD'],
    ends: '\r\n',
    gives: '5',
  },
  { name: 'Cr', lines: ['ON TOPIC "l/Cr" DO', '    PUBLISH TOPIC "l/Cr/is" WITH PAYLOAD'], ends: '\r', gives: '5' },
  {
    name: 'Tabs',
    lines: ['ON TOPIC "l/Tabs" DO', '\tIF PAYLOAD > 1 THEN', '\t\tPUBLISH TOPIC "l/Tabs/is" WITH 1'],
    gives: '1',
  },
  {
    name: 'Five',
    lines: ['ON TOPIC "l/Five" DO', '     SET "a" WITH 2', '     PUBLISH TOPIC "l/Five/is" WITH {a}'],
    gives: '2',
  },
  {
    name: 'Comments',
    lines: [
      '// one',
      'ON TOPIC "l/Comments" DO -- two',
      '        // deeper than the block',
      '    SET "url" WITH "http://x--y" // after code',
      '-- at the margin',
      '    /* of the first',
      '  generation */',
      '    PUBLISH TOPIC "l/Comments/is" WITH {url} + (5 --3)',
    ],
    gives: 'http://x--y8',
  },
  {
    name: 'Blanks',
    lines: [
      '',
      'ON TOPIC "l/Blanks" DO',
      '   ',
      '',
      '    IF PAYLOAD > 9 THEN',
      '',
      '        SET "a" WITH 1',
      '',
      '  ',
      '    ELSE',
      '',
      '        SET "a" WITH 2',
      '',
      '    PUBLISH TOPIC "l/Blanks/is" WITH {a}',
      '',
      '',
    ],
    gives: '2',
  },
  {
    name: 'Lines',
    lines: [
      'ON TOPIC "l/Lines" DO',
      '    SET "grade" WITH IF PAYLOAD > 90 THEN "A"',
      '        ELSE IF PAYLOAD > 3 THEN "B"',
      '        ELSE "C"',
      '    PUBLISH TOPIC "l/Lines/is" WITH {',
      '  "grade": {grade},',
      '        "list": [1,',
      '                 { "x": PAYLOAD AS INT }],',
      '        "text": "a" + "b"',
      '    }',
    ],
    gives: '{"grade":"B","list":[1,{"x":5}],"text":"ab"}',
  },
  {
    name: 'Topics',
    lines: [
      'ON TOPIC "l/Topics" DO',
      '    SET "id" WITH "7"',
      '    KEEP TOPIC "bin/" + {id} + "/level" WITH 40',
      '    KEEP TOPIC "bin/level" WITH 1',
      '    SET "sum" WITH GET TOPIC "bin/level" + 1',
      '    SET "sum" WITH {sum} + (GET TOPIC "bin/" + {id} + "/level")',
      '    SET "two" WITH GET TOPIC "bin/level" + GET TOPIC "bin/" + {id} + "/level"',
      '    PUBLISH TOPIC REPLACE "X" WITH "Topics" IN "l/X/is" WITH {sum} + "," + {two}',
    ],
    gives: '42,41',
  },
  {
    name: 'Braces',
    lines: ['ON TOPIC "l/Braces" DO', '    SET v WITH PAYLOAD', '    PUBLISH TOPIC "l/Braces/is" WITH { v } * 2'],
    gives: '10',
  },
  {
    name: 'Quoted',
    lines: ['ON TOPIC "l/Quoted" DO', '    PUBLISH TOPIC "l/Quoted/is" WITH "{PAYLOAD} is \\"{v}\\""'],
    gives: '{PAYLOAD} is "{v}"',
  },
]

async function drive(t: Test, user: LotUser, { name, lines, ends = '\n', gives }: Text): Promise<void> {
  const answer = await user.command(`-addAction ${[`DEFINE ACTION ${name}`, ...lines].join(ends)}`)
  t.ok(answer.success, `${name}: ${answer.message}`)
  if (answer.success) t.equal(await user.answer(`l/${name}`, '5', `l/${name}/is`), gives, name)
}

t.test('layouts', { timeout: 90_000 }, async (t) => {
  const broker = await LotBroker.start(t)
  const user = await broker.connect()
  for (const text of TEXTS) await drive(t, user, text)
  const odd = await user.succeed('-addAction DEFINE ACTION Odd\nON TOPIC "o" DO\n   SET "a" WITH 1')
  t.ok((odd.warnings?.length ?? 0) > 0, 'an odd width is a warning')
  const password = await user.command(
    '-addRoute DEFINE ROUTE R WITH TYPE MQTT_BRIDGE\n    ADD SOURCE_CONFIG\n        WITH BROKER SELF\n    ADD DESTINATION_CONFIG\n        WITH BROKER_ADDRESS "b"\n        WITH BROKER_PORT \'1883\'\n        WITH PASSWORD "p"\n    ADD MAPPING m\n        WITH SOURCE_TOPIC "a"\n        WITH DESTINATION_TOPIC "b"\n        WITH DIRECTION "out"',
  )
  t.match(password, { success: true, message: /Route 'R' added successfully/ })
  t.match(JSON.stringify(password.warnings), /PASSWORD/)
})

t.test('a broker that speaks as the first generation did', { timeout: 90_000 }, async (t) => {
  const broker = await LotBroker.start(t, {
    compat: 'v1',
    commands: { plainTextOutput: true },
    models: { plainOutput: 'json' },
  })
  const user = await broker.connect()
  t.equal(await user.plainCommand('-removeModel "Old"'), "Model 'Old' not found.")
  t.match(
    await user.plainCommand(
      '-addModel DEFINE MODEL "Old" WITH TOPIC "old"\n    ADD INT "n" WITH TOPIC "raw/old" AS TRIGGER',
    ),
    /^Model 'Old' added successfully/,
  )
  t.equal(await user.answer('raw/old', '5', 'old'), '{"n":5}')
  await user.caughtUp(() => broker.running.settled())
  t.same(user.onTopic('old/n'), [], 'the object alone')
  t.match(
    await user.plainCommand('-addRule DEFINE RULE Low WITH PRIORITY 20 FOR Publish TO TOPIC "a"\n    ALLOW'),
    /added successfully/,
  )
  t.match(await user.plainCommand('-addAction DEFINE ACTION Bad\nON TOPIC DO'), /^Parsing error: .* \(2,10\)/)
})

t.test('other switches', { timeout: 90_000 }, async (t) => {
  const broker = await LotBroker.start(t, {
    lot: { strictIndent: true },
    models: { plainOutput: 'fields' },
    keep: { exposeAsRetained: false },
  })
  const user = await broker.connect()
  await user.succeed('-addModel DEFINE MODEL M WITH TOPIC "m"\n    ADD INT "n" WITH TOPIC "raw/m" AS TRIGGER')
  t.equal(await user.answer('raw/m', '5', 'm/n'), '5')
  await user.caughtUp(() => broker.running.settled())
  t.same(user.onTopic('m'), [], 'the fields alone')
  t.match(await user.command('-addAction DEFINE ACTION Odd\nON TOPIC "o" DO\n   SET "a" WITH 1'), { success: false })
  await user.succeed(
    '-addAction DEFINE ACTION Keep\nON TOPIC "k" DO\n    KEEP TOPIC "kept" WITH PAYLOAD\n    PUBLISH TOPIC "k/done" WITH 1',
  )
  await user.answer('k', '5', 'k/done')
  const late = await broker.connect({ hears: ['kept', 'caught-up/#'] })
  await late.caughtUp(() => broker.running.settled())
  t.same(late.onTopic('kept'), [])
})
