/** Names that clients choose, and what becomes of them in logs and in the audit trail. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { verifyTrail } from '../../src/audit/verify-trail.js'
import { createLogSink } from '../../src/base/log-output.js'
import { connectPacket, publishPacket, subscribePacket } from '../support/client-packets.js'
import { PASSWORD, SecuredBroker } from './secured-broker.fixture.js'

/** What would begin a line, move a cursor, hide or turn text around. */
const ODD = [
  '\n2025-01-01 ERROR forged',
  '\r\n{"seq":1,"user":"root","kind":"login","success":true}',
  '\u001b[2J\u001b[31m',
  '\u202egnp.exe',
  '\u2028forged',
  '\u0085forged',
  '\ufeff',
  '","success":true,"x":"',
  '\\n',
]
const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u

const broker = await SecuredBroker.start(t, ['ann'])

t.test('names with control characters forge no line, in the log or in the audit trail', async (t) => {
  await broker.rule('Publish TO TOPIC "forged/#"', 'DENY')
  await broker.rule('Subscribe TO TOPIC "forged/#"', 'DENY')
  for (const odd of ODD) {
    // each may be refused; what counts is what is written of it
    const named = await broker.clients.open()
    named.send(connectPacket({ clientId: `client ${odd}`, userName: `user ${odd}`, password: 'a guess' }))
    const stranger = await broker.clients.open()
    stranger.send(connectPacket({ clientId: `client ${odd}`, userName: 'ann', password: `guess ${odd}` }))
    const ann = await broker.clients.open()
    ann.send(
      connectPacket({
        clientId: `ann ${odd}`,
        userName: 'ann',
        password: PASSWORD,
        will: { topic: `forged/will ${odd}`, payload: 'x' },
      }),
      publishPacket(`forged/${odd}`, `payload ${odd}`, { qos: 1, packetId: 1 }),
      subscribePacket(2, [[`forged/${odd}/#`]]),
    )
    await ann.takePacket('suback').catch(() => {})
    ann.destroy()
    await broker.running.command(`-addUser "eve ${odd}" "${PASSWORD}"`)
    await broker.running.command(`-no${odd} such command`)
  }
  await broker.clients.settle()
  await broker.running.stop()

  for (const format of ['pretty', 'json'] as const) {
    let text = ''
    const sink = createLogSink({ format }, { write: (line) => (text += line) })
    for (const record of broker.logged) sink(record)
    const lines = text.split('\n').slice(0, -1)
    t.equal(lines.length, broker.logged.length, `${format}: a line for each record`)
    t.notOk(UNPRINTABLE.test(text), format)
  }

  const folder = join(broker.dataDirectory, 'audit')
  const files = (await readdir(folder)).filter((name) => name.endsWith('.jsonl'))
  const lines = (await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))).join('').split('\n')
  const records = lines.slice(0, -1).map((line) => JSON.parse(line) as { user?: string; what?: string })
  t.notOk(UNPRINTABLE.test(lines.join('')))
  t.notMatch(lines.join(), PASSWORD)
  t.notMatch(lines.join(), 'a guess')
  t.notOk(records.some(({ user }) => user === 'root'))
  const written = (word: string): number => lines.filter((line) => line.includes(word)).length
  t.equal(written('publish forged/'), ODD.length, 'all of them are allowed in MQTT, and so are written')
  t.equal(written('subscribe forged/'), ODD.length)
  const found = await verifyTrail(folder, undefined)
  t.same(found.breaks, [])
  t.equal(found.records, records.length)
})
