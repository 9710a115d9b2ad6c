import t from 'tap'
import { Ledger } from './ledger.js'
import { decodeMessage, encodeMessage } from './message.js'
import { clears } from './publisher.js'
import { judgeRetained } from './retained-check.js'

t.test('a message survives the way there and back; a damaged one is told', async (t) => {
  const payload = encodeMessage({ stream: 7, sequence: 70_000 }, 200)
  t.equal(payload.length, 200)
  t.same(decodeMessage(payload), { stream: 7, sequence: 70_000 })
  payload[150] ^= 1
  t.equal(decodeMessage(payload), undefined)
  t.equal(decodeMessage(payload.subarray(0, 7)), undefined)
})

t.test('a delivery is identified by its payload, and must come under its topic', async (t) => {
  const ledger = new Ledger()
  const stream = ledger.addStream('publisher', 'a/b', 1)
  const payload = encodeMessage({ stream: stream.id, sequence: 3 }, 20)
  t.same(ledger.identify('subscriber', 'a/b', payload), { stream, sequence: 3 })
  t.equal(ledger.violations.total, 0)
  t.equal(ledger.identify('subscriber', 'a/c', payload), undefined)
  t.equal(ledger.identify('subscriber', 'a/b', encodeMessage({ stream: 9, sequence: 3 }, 20)), undefined)
  t.equal(ledger.identify('subscriber', 'a/b', Buffer.from('hello')), undefined)
  t.equal(ledger.violations.count('unexpected'), 3)
})

t.test('progress goes forward only', async (t) => {
  const stream = new Ledger().addStream('publisher', 'a/b', 2)
  stream.sent(stream.take())
  t.notOk(stream.isAcknowledged(0))
  t.equal(stream.lastComplete(), -1)
  stream.acknowledge(0)
  t.ok(stream.isAcknowledged(0))
  t.equal(stream.lastComplete(), -1)
  stream.complete(0)
  stream.acknowledge(0)
  stream.refuse(0)
  t.equal(stream.lastComplete(), 0)
  t.match(stream, { acknowledged: 1, refused: 0, next: 1 })
  for (let nth = 0; nth < 40; nth++) stream.sent(0)
  t.equal(stream.sends(0), 15, 'sends are counted as far as there is room')
  t.equal(stream.lastComplete(), 0)
})

/** A topic to which `sent` messages went, the first `complete` of them acknowledged. */
function retained(sent: number, complete: number) {
  const ledger = new Ledger()
  const stream = ledger.addStream('retainer', 'kept', 1)
  for (let sequence = 0; sequence < sent; sequence++) stream.sent(stream.take())
  for (let sequence = 0; sequence < complete; sequence++) stream.complete(sequence)
  const holds = (value: number | undefined | string): boolean => {
    const found = ledger.violations.count('retained')
    const payload = typeof value === 'number' ? encodeMessage({ stream: 0, sequence: value }, 20) : undefined
    const bytes = typeof value === 'string' ? Buffer.from(value) : payload
    judgeRetained({ stream, lower: stream.lastComplete() }, bytes, ledger)
    return ledger.violations.count('retained') === found
  }
  return { holds }
}

t.test('a retained value is the last acknowledged one or one that was sent after it', async (t) => {
  const { holds } = retained(5, 3)
  t.ok(holds(2))
  t.ok(holds(3))
  t.ok(holds(4))
  t.notOk(holds(1), 'an older one')
  t.notOk(holds(5), 'one that was never sent')
  t.notOk(holds(undefined), 'none at all')
  t.notOk(holds('foreign'), 'one of somebody else')
})

t.test('a topic without acknowledged value may hold nothing', async (t) => {
  const { holds } = retained(2, 0)
  t.ok(holds(undefined))
  t.ok(holds(0))
})

t.test('an empty message takes the value away, and it stays away', async (t) => {
  t.same([0, 15, 16, 17, 33].map(clears), [false, false, true, false, true])
  const cleared = retained(17, 17)
  t.ok(cleared.holds(undefined))
  t.notOk(cleared.holds(15), 'the value from before has come back')
  const sentOnly = retained(17, 16)
  t.ok(sentOnly.holds(undefined), 'the empty one may have been taken')
  t.ok(sentOnly.holds(15))
  const later = retained(18, 18)
  t.notOk(later.holds(undefined))
  t.ok(later.holds(17))
})
