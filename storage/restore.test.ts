import t from 'tap'
import { type LogRecord, Progress } from '../src/contracts/storage.js'
import { TABLE } from './engine.js'
import { numberKey } from './keys.js'
import { MemoryEngine } from './memory-engine.js'
import { Restore } from './restore.js'
import { loggedMessage, payloadOf, receiver, StoreParts, storedSession, topicOf } from './store-parts.fixture.js'

const none = (): void => {}

/** Sessions that begin with `a` are of shard 0, the others of shard 1. */
const owner = (clientId: string): number => (clientId.startsWith('a') ? 0 : 1)

function open(engine: MemoryEngine): StoreParts {
  return new StoreParts({ engine, shards: 2 }, owner)
}

function append(parts: StoreParts, shard: number, payload: string, sessions: readonly number[]): LogRecord {
  let record: LogRecord | undefined
  for (const session of sessions) record = parts.journals[shard].addReceiver(receiver(session, 0, 2))
  parts.journals[shard].append(loggedMessage({ payload }), undefined, 0)
  if (record === undefined) throw new Error('no receivers')
  return record
}

/** What a shard gets: payload, session, and how far it has come. */
function deliveries(restore: Restore, unwanted: (record: LogRecord) => void = none): string[] {
  return [...restore.deliveries(unwanted)].flatMap((each) =>
    each === undefined
      ? []
      : [`${payloadOf(each.message)} to ${each.receiver.session}: #${each.packetId} ${each.progress}`],
  )
}

function withSessions(engine: MemoryEngine): StoreParts {
  const parts = open(engine)
  parts.journals[0].putSession(storedSession(64, 'ann'))
  parts.journals[0].putSession(storedSession(128, 'abe'))
  parts.journals[1].putSession(storedSession(65, 'bob'))
  return parts
}

function damage(engine: MemoryEngine, table: string, key: Uint8Array): void {
  const value = engine.get(table, key)
  if (value === undefined) throw new Error('nothing to damage')
  value[value.length >> 1] ^= 0x5a
  value[0] ^= 0x80
  engine.commit((transaction) => transaction.put(table, key, value))
}

t.test('an empty store', async (t) => {
  const restore = new Restore(new MemoryEngine(), 3, () => true)
  t.equal(restore.aliveMs(), undefined)
  t.same([...restore.sessions.rest()], [])
  t.equal(restore.nextSession, 1)
  t.equal(restore.nextSequence, 1)
  t.equal(restore.countMessages(), 0)
  t.same([...restore.retained()], [])
  t.same(deliveries(restore), [])
})

t.test('every shard gets its own sessions, with what belongs to them', async (t) => {
  const engine = new MemoryEngine()
  const parts = withSessions(engine)
  const subscription = { filter: 'a/ü/#', qos: 2, noLocal: true, retainAsPublished: false, identifier: 300 } as const
  parts.journals[0].putSubscription(64, subscription)
  parts.journals[0].putSubscription(64, { ...subscription, filter: 'x'.repeat(5_000) })
  parts.journals[0].putSubscription(128, { ...subscription, filter: 'other' })
  for (const packetId of [256, 1, 65_535]) parts.journals[0].append(loggedMessage(), { session: 64, packetId }, 0)
  parts.journals[1].append(loggedMessage(), { session: 65, packetId: 2 }, 0)
  parts.commit()
  const [first, second] = open(engine).restores.map((restore) => [...restore.sessions.rest()])
  t.same(
    first.map(({ session }) => session.clientId),
    ['ann', 'abe'],
  )
  t.same(
    first[0].subscriptions.map(({ filter }) => filter.length),
    [5, 5_000],
  )
  t.same(first[0].subscriptions[0], subscription)
  t.same(first[0].received, [1, 256, 65_535])
  t.same(first[1].received, [])
  t.match(second, [{ session: storedSession(65, 'bob'), subscriptions: [], received: [2] }])
  t.equal(open(engine).restores[0].aliveMs(), parts.nowMs)
})

t.test('numbers are never used again, also when nothing is left that had them', async (t) => {
  const engine = new MemoryEngine()
  const parts = withSessions(engine)
  const records = ['1', '2', '3'].map((payload) => append(parts, 0, payload, [64, 128]))
  parts.commit()
  for (const record of records) for (const place of [0, 1]) parts.journals[0].done(record, place)
  for (const session of [64, 128]) parts.journals[0].deleteSession(session)
  parts.commit()
  t.same([...engine.range('sessions'), ...engine.range('log.0')].length, 1, 'the other shard has one session')
  const next = open(engine)
  t.ok(next.restores[0].nextSequence > records[2].sequence)
  t.equal(next.restores[1].nextSequence, 1)
  const number = next.journals[0].nextSessionNumber()
  t.ok(number > 128)
  t.equal(number % 64, 0, 'tells the shard')
  t.equal(next.journals[1].nextSessionNumber() % 64, 1)
  const again = append(next, 0, '4', [64])
  t.ok(again.sequence > records[2].sequence)
})

t.test('a record for sessions of several shards: each gets its part, and the last one deletes it', async (t) => {
  const engine = new MemoryEngine()
  const single = new StoreParts({ engine })
  for (const [number, name] of [
    [64, 'ann'],
    [128, 'abe'],
    [192, 'bob'],
  ] as const) {
    single.journal.putSession(storedSession(number, name))
  }
  const record = append(single, 0, 'x', [64, 128, 192])
  single.journal.sent(record, 1, 7)
  append(single, 0, 'y', [192])
  single.commit()

  const parts = open(engine)
  t.same(deliveries(parts.restores[0]), ['x to 64: #0 0', 'x to 128: #7 1'])
  t.same(deliveries(parts.restores[1]), ['x to 192: #0 0', 'y to 192: #0 0'])
  const own = [0, 1].map((shard) => [...parts.restores[shard].deliveries(none)].flatMap((each) => each ?? []))
  t.same(
    own[0].map(({ record }) => [record.isSplit, record.left, record.places]),
    [
      [true, 2, 3],
      [true, 2, 3],
    ],
  )
  t.equal(own[0][0].record, own[0][1].record, 'one record')
  t.same([own[1][1].record.isSplit, own[1][1].record.left], [false, 1])

  parts.journals[0].done(own[0][0].record, 0)
  parts.journals[0].released(own[0][1].record, 1, 7)
  parts.journals[1].sent(own[1][0].record, 2, 9)
  parts.commit()
  const later = open(engine)
  t.same(deliveries(later.restores[0]), ['x to 128: #7 2'])
  t.same(deliveries(later.restores[1])[0], 'x to 192: #9 1')
  const [[first], [second]] = [0, 1].map((shard) =>
    [...later.restores[shard].deliveries(none)].flatMap((each) => each ?? []),
  )
  later.journals[0].done(first.record, 1)
  later.commit()
  t.equal(engine.count(TABLE.log(0)), 2)
  later.journals[1].done(second.record, 2)
  later.commit()
  t.equal(engine.count(TABLE.log(0)), 1)
  t.equal(engine.count(TABLE.progress(0)), 0)
})

t.test('a packet identifier that the message was written with', async (t) => {
  const engine = new MemoryEngine()
  const parts = withSessions(engine)
  parts.journals[0].addReceiver(receiver(64, 5))
  parts.journals[0].append(loggedMessage({ payload: 'x' }), undefined, 0)
  parts.commit()
  t.same(deliveries(open(engine).restores[0]), [`x to 64: #5 ${Progress.SENT}`])
})

t.test('nobody waits for messages of sessions that are gone', async (t) => {
  const engine = new MemoryEngine()
  const parts = withSessions(engine)
  append(parts, 0, 'for two that go', [128, 192])
  append(parts, 0, 'for one that stays', [64, 128])
  append(parts, 1, 'of another shard', [65])
  parts.commit()
  parts.journals[0].deleteSession(128)
  parts.commit()
  const later = open(engine)
  const unwanted: number[] = []
  const found = deliveries(later.restores[0], (record) => {
    unwanted.push(record.sequence)
    later.journals[0].done(record, 0)
  })
  t.same(found, ['for one that stays to 64: #0 0'])
  t.same(unwanted, [1])
  later.commit()
  t.equal(engine.count(TABLE.log(0)), 1, 'all of its places are done with')
  t.equal(engine.count(TABLE.progress(0)), 0)
})

t.test('damaged records are counted, skipped and removed', async (t) => {
  const engine = new MemoryEngine()
  const parts = withSessions(engine)
  const subscription = { filter: 'f', qos: 1, noLocal: false, retainAsPublished: false, identifier: 0 } as const
  for (const filter of ['f', 'g']) parts.journals[0].putSubscription(64, { ...subscription, filter })
  for (const topic of ['r', 's']) parts.journals[0].putRetained(topic, loggedMessage({ topic, retain: true }), 5)
  const records = ['1', '2', '3'].map((payload) => append(parts, 0, payload, [64, 128]))
  parts.commit()
  damage(engine, TABLE.log(0), numberKey(records[1].sequence))
  damage(engine, TABLE.sessions, numberKey(128))
  damage(engine, TABLE.retained, Buffer.from('r'))
  damage(engine, TABLE.subscriptions, Buffer.concat([numberKey(64), Buffer.from('f')]))

  const later = open(engine)
  const restore = new Restore(engine, 0, (clientId) => owner(clientId) === 0)
  const sessions = [...restore.sessions.rest()]
  t.same(
    sessions.map(({ session, subscriptions }) => [session.clientId, subscriptions.map(({ filter }) => filter)]),
    [['ann', ['g']]],
  )
  t.ok(restore.nextSession >= 3, 'the number of the damaged one is in use')
  t.same(
    [...restore.retained()].map(({ message, stamp }) => [topicOf(message), stamp]),
    [['s', 5]],
  )
  t.same(
    deliveries(restore, (record) => later.journals[0].done(record, 0)),
    ['1 to 64: #0 0', '3 to 64: #0 0'],
  )
  t.same(restore.sessions.damage, { sessions: 1, subscriptions: 1 })
  t.same(restore.damage, { retained: 1, messages: 1 })
  later.commit()
  t.equal(engine.count(TABLE.log(0)), 2)
})

t.test('many messages, in slices, while others come and go', async (t) => {
  const engine = new MemoryEngine()
  const parts = withSessions(engine)
  const records: LogRecord[] = []
  for (let number = 0; number < 1_200; number++) records.push(append(parts, 0, String(number), [64]))
  parts.commit()
  const later = open(engine)
  const [restore] = later.restores
  t.equal(restore.countMessages(), 1_200)
  const found: string[] = []
  let pauses = 0
  for (const each of restore.deliveries(none)) {
    if (each !== undefined) {
      found.push(payloadOf(each.message))
      continue
    }
    pauses++
    append(later, 0, `later ${pauses}`, [64])
    // one that is still to come is done with
    later.journals[0].done(records[1_150 + pauses], 0)
    later.commit()
  }
  t.equal(pauses, 3)
  t.notOk(
    found.some((text) => text.startsWith('later')),
    'nothing that is newer than the start',
  )
  const gone = [1_151, 1_152]
  t.same(
    found.map(Number),
    records.map((_, number) => number).filter((number) => !gone.includes(number)),
  )
  t.equal(deliveries(open(engine).restores[0]).length, 1_200)
})

t.test('stamps of retained messages are never given out again, also when their topics are cleared', async (t) => {
  const engine = new MemoryEngine()
  t.equal(open(engine).restores[0].lastStamp, 0)
  const parts = open(engine)
  parts.journals[1].putRetained('t', loggedMessage({ topic: 't', retain: true }), 5_000_000)
  parts.journals[1].putRetained('t', loggedMessage({ topic: 't', payload: '', retain: true }), 6_000_000)
  parts.commit()
  t.equal(engine.count(TABLE.retained), 0)
  t.ok(open(engine).restores[0].lastStamp > 6_000_000)
})
