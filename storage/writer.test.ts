import t from 'tap'
import { TABLE } from './engine.js'
import { numberKey } from './keys.js'
import {
  append,
  asker,
  FullEngine,
  loggedMessage,
  payloadOf,
  receiver,
  StoreParts,
  storedSession,
} from './store-parts.fixture.js'
import { ALIVE_KEY } from './writer.js'

const RETRY_MS = 500

function payloads(parts: StoreParts, shard = 0): string[] {
  const restore = parts.restores[shard]
  const found = [...restore.deliveries(() => {})]
  return found.flatMap((each) => (each === undefined ? [] : [payloadOf(each.message)]))
}

t.test('one commit for all that is there, counted', async (t) => {
  const parts = new StoreParts({ shards: 2 })
  append(parts, 'a')
  append(parts, 'b', 65, 1)
  const record = append(parts, 'c')
  parts.journal.done(record, 0)
  parts.commit()
  t.same(parts.writer.statistics, { commits: 1, records: 4, elided: 1 })
  t.equal(parts.writer.hasInput, false)
  t.equal(parts.writer.work(), 0)
  t.equal(parts.writer.statistics.commits, 1)
  append(parts, 'd')
  parts.publish(0)
  t.equal(parts.writer.hasInput, true)
})

t.test('larger than a ring: all arrives, in order', async (t) => {
  const parts = new StoreParts({ ringBytes: 4_096 })
  parts.journal.putSession(storedSession(64, 'ann'))
  const sent = Array.from({ length: 40 }, (_, number) => `${number}-`.repeat(number * 40 + 1))
  for (const payload of sent) append(parts, payload)
  parts.commit()
  t.same(payloads(parts), [], 'they came after the start')
  t.same(payloads(new StoreParts({ engine: parts.engine })), sent)
})

t.test('no room: refused, said so, and back without a restart', async (t) => {
  const engine = new FullEngine()
  const parts = new StoreParts({ engine, shards: 2 })
  const { told, ask } = asker(parts)
  const { journal } = parts
  for (const number of [64, 128]) journal.putSession(storedSession(number, String(number)))
  const old = append(parts, 'old')
  const shared = journal.addReceiver(receiver(64))
  journal.addReceiver(receiver(128))
  journal.append(loggedMessage({ payload: 'shared' }), undefined, 0)
  parts.commit()

  engine.refuses = 'growth'
  const lost = append(parts, 'lost')
  ask('lost')
  t.equal(lost.isRefused, false, 'not known yet')
  parts.commit()
  t.same(told, ['lost refused'])
  t.equal(lost.isRefused, true)
  t.equal(old.isRefused, false)
  t.ok(parts.journals.every(({ isFull }) => isFull))
  t.match(parts.full, ['the store has no room: on purpose'])

  // who acknowledges goes on
  engine.refuses = 'nothing'
  journal.done(old, 0)
  journal.done(shared, 0)
  ask('acknowledged')
  parts.commit()
  append(parts, 'lost too')
  ask('lost too')
  parts.commit()
  t.same(told.slice(1), ['acknowledged', 'lost too refused'], 'there is no try before its time')
  t.equal(engine.count(TABLE.log(0)), 1)
  t.ok(journal.isFull)

  parts.nowMs += RETRY_MS - 1
  parts.writer.tick()
  t.ok(journal.isFull)
  engine.refuses = 'growth'
  parts.nowMs += 1
  parts.writer.tick()
  t.ok(journal.isFull, 'the try finds no room')
  engine.refuses = 'nothing'
  parts.writer.tick()
  t.ok(journal.isFull, 'and the next one has its time')
  parts.nowMs += RETRY_MS
  parts.writer.tick()
  t.notOk(parts.journals.some(({ isFull }) => isFull))
  t.same(parts.full.slice(1), [undefined])
  const kept = append(parts, 'kept')
  ask('kept')
  parts.commit()
  t.same(told.slice(3), ['kept'])
  t.equal(kept.isRefused, false)
  t.equal(lost.isRefused, true)
  t.same(payloads(new StoreParts({ engine })).sort(), ['kept', 'shared'], 'the one session that is not done with it')
  t.equal(engine.get(TABLE.meta, Buffer.from('probe')), undefined, 'nothing is left of the tries')
})

t.test('not even room to delete: what was done is done later', async (t) => {
  const engine = new FullEngine()
  const parts = new StoreParts({ engine })
  const { told, ask } = asker(parts)
  const [first, second] = [append(parts, '1'), append(parts, '2')]
  parts.commit()
  engine.refuses = 'all'
  parts.journal.done(first, 0)
  ask('first')
  parts.commit()
  append(parts, 'lost')
  parts.journal.done(second, 0)
  ask('second')
  parts.commit()
  t.same(told, ['first refused', 'second refused'])
  t.equal(engine.count(TABLE.log(0)), 2)
  engine.refuses = 'nothing'
  parts.nowMs += RETRY_MS
  parts.writer.tick()
  t.equal(parts.journal.isFull, false)
  t.equal(engine.count(TABLE.log(0)), 0)
})

t.test('an error of another kind is not swallowed', async (t) => {
  const parts = new StoreParts()
  append(parts, 'x')
  parts.publish(0)
  await parts.engine.close()
  t.throws(() => parts.writer.work(), { message: 'the store is closed' })
})

t.test('shards are replaced: what they had published is kept, and the next ones go on', async (t) => {
  const parts = new StoreParts({ shards: 2 })
  parts.journal.putSession(storedSession(parts.journal.nextSessionNumber(), 'ann'))
  append(parts, 'published')
  parts.publish(0)
  append(parts, 'not published')
  parts.replaceShards()
  t.equal(parts.journal.isFlushed, true)
  t.same(payloads(parts), ['published'])
  const { told, ask } = asker(parts)
  append(parts, 'by the next')
  ask('next')
  t.equal(parts.journal.runFlushed(), 0)
  parts.commit()
  t.same(told, ['next'])
  t.same(payloads(new StoreParts({ engine: parts.engine })), ['published', 'by the next'])
  t.ok(parts.journal.nextSessionNumber() > 64)
})

t.test('shards die with parts of a message: the next ones have nothing to do with it', async (t) => {
  const owner = (): number => 1
  const parts = new StoreParts({ shards: 2 }, owner)
  parts.journals[1].putSession(storedSession(65, 'bob'))
  parts.commit()
  const group = 64
  parts.journals[1].addReceiver(receiver(65))
  parts.journals[1].append(loggedMessage({ payload: 'part' }), undefined, group)
  append(parts, 'behind it', 65, 1)
  parts.publish(1)
  parts.replaceShards()
  const { told, ask } = asker(parts)
  t.equal(parts.journals[1].isFlushed, true)
  append(parts, 'of the next', 65, 1)
  ask('next', 1)
  append(parts, 'of another')
  ask('another')
  parts.publish(0)
  parts.writer.work()
  t.equal(parts.journals[1].runFlushed(), 0, 'it has not been written')
  parts.commit()
  t.same(told, ['another', 'next'])
  t.same(payloads(new StoreParts({ engine: parts.engine, shards: 2 }, owner), 1), ['of the next'])
})

t.test('parts of a message of several shards take effect as one, or a crash leaves none', async (t) => {
  const parts = new StoreParts({ shards: 3 })
  const group = 64 * 7
  for (const [shard, session] of [
    [1, 65],
    [2, 66],
  ]) {
    parts.journals[shard].addReceiver(receiver(session))
    parts.journals[shard].append(loggedMessage({ qos: 2 }), undefined, group)
  }
  const messages = (): number => [1, 2].reduce((sum, shard) => sum + parts.engine.count(TABLE.log(shard)), 0)
  parts.publish(1)
  parts.publish(2)
  parts.writer.work()
  t.equal(messages(), 0)
  const { told, ask } = asker(parts)
  parts.journal.commitTogether(group, 2, { session: 64, packetId: 9 })
  ask('received')
  parts.commit()
  t.same(told, ['received'])
  t.equal(messages(), 2)
  t.equal(parts.engine.count(TABLE.received), 1)
})

t.test('a message that is handed over is with one session or the other, whenever a crash comes', async (t) => {
  for (const taker of [0, 1]) {
    const parts = new StoreParts({ shards: 2 })
    const { journal } = parts
    const receivers = (): number[] => [0, 1].map((shard) => parts.engine.count(TABLE.log(shard)))
    const old = append(parts, 'moves')
    parts.commit()
    t.same(receivers(), [1, 0])
    const group = 64 * 9
    const to = parts.journals[taker]
    if (taker !== 0) journal.beginTogether(group)
    to.addReceiver(receiver(65))
    to.append(loggedMessage({ payload: 'moves' }), undefined, group)
    for (const shard of [0, 1]) parts.publish(shard)
    parts.writer.work()
    t.same(receivers(), [1, 0], 'it takes effect when both are there')
    journal.done(old, 0)
    parts.publish(0)
    parts.writer.work()
    t.same(receivers(), [1, 0], 'what is done waits, too')
    const { told, ask } = asker(parts)
    journal.commitTogether(group, taker === 0 ? 1 : 2, undefined)
    ask('handed over')
    parts.commit()
    t.same(told, ['handed over'])
    t.same(receivers(), taker === 0 ? [1, 0] : [0, 1])
    t.equal(parts.engine.count(TABLE.received), 0)
    const { log, sequence } = old
    t.equal(parts.engine.get(TABLE.log(log), numberKey(sequence)), undefined)
  }
})

t.test('the time at which it was last alive is kept, and not with every commit', async (t) => {
  const parts = new StoreParts()
  const alive = (): unknown => JSON.parse(Buffer.from(parts.engine.get(TABLE.meta, ALIVE_KEY) ?? 'null').toString())
  const start = parts.nowMs
  append(parts, '1')
  parts.commit()
  t.equal(alive(), start)
  parts.nowMs += 999
  append(parts, '2')
  parts.commit()
  t.equal(alive(), start)
  parts.nowMs += 1
  append(parts, '3')
  parts.commit()
  t.equal(alive(), start + 1_000)
  parts.nowMs += 59_999
  parts.writer.tick()
  t.equal(alive(), start + 1_000)
  parts.nowMs += 1
  parts.writer.tick()
  t.equal(alive(), start + 61_000, 'with nothing to write')
})

t.test('what frees room goes on although progress has to be written with it', async (t) => {
  const engine = new FullEngine()
  const parts = new StoreParts({ engine })
  const { journal } = parts
  const one = append(parts, 'one')
  const both = journal.addReceiver(receiver(64))
  journal.addReceiver(receiver(128))
  journal.append(loggedMessage({ payload: 'both' }), undefined, 0)
  parts.commit()
  engine.refuses = 'growth'
  append(parts, 'refused')
  parts.commit()
  t.ok(journal.isFull)
  journal.done(one, 0)
  journal.sent(both, 1, 7)
  let kept: boolean | undefined
  journal.whenFlushed((isKept) => {
    kept = isKept
  })
  parts.commit()
  t.equal(kept, true)
  t.equal(engine.count(TABLE.log(0)), 1)
  t.equal(engine.count(TABLE.progress(0)), 1)
})
