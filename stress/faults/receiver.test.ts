/** A checker that cannot fail shows nothing: each kind of violation is fed to it, beside what only looks like one. */
import t from 'tap'
import type { Qos } from '../../src/mqtt/packets.js'
import { Ledger } from './ledger.js'
import type { Receiver } from './receiver.js'
import type { Stream } from './stream.js'

function setUp(published: Qos, subscribed: Qos, traits: { isDurable?: boolean; isShared?: boolean } = {}) {
  const ledger = new Ledger()
  const stream = ledger.addStream('publisher', 'a/b', published)
  const receiver = ledger.addReceiver({
    name: 'subscriber',
    qos: subscribed,
    isDurable: true,
    isShared: false,
    ...traits,
  })
  receiver.expect(stream)
  return { ledger, stream, receiver, found: () => Object.fromEntries(ledger.violations.counts) }
}

/** Sends as many messages, once each, and has them acknowledged. */
function publish(stream: Stream, count: number): void {
  for (let nth = 0; nth < count; nth++) {
    const sequence = stream.take()
    stream.sent(sequence)
    stream.complete(sequence)
  }
}

function deliver(receiver: Receiver, stream: Stream, sequences: readonly number[], dup = false): void {
  for (const sequence of sequences) receiver.deliver(stream, sequence, dup)
}

t.test('everything once and in order is right', async (t) => {
  const { ledger, stream, receiver, found } = setUp(2, 2)
  publish(stream, 3_000)
  deliver(
    receiver,
    stream,
    Array.from({ length: 3_000 }, (_, sequence) => sequence),
  )
  t.equal(ledger.missing(), 0)
  ledger.judge()
  t.same(found(), {})
  t.match(ledger.counts(), { published: 3_000, acknowledged: 3_000, delivered: 3_000 })
})

t.test('an acknowledged message that never arrives is lost, whatever came after it', async (t) => {
  for (const qos of [1, 2] as const) {
    const { ledger, stream, receiver, found } = setUp(qos, qos)
    publish(stream, 4)
    deliver(receiver, stream, [0, 2])
    t.equal(ledger.missing(), 2)
    t.same(found(), {}, 'it may still come')
    ledger.judge()
    t.same(found(), { lost: 2 })
    t.match(ledger.violations.examples[0].text, /subscriber: a\/b #1 \(QoS \d, sent 1 time, first after fault 0\)/)
  }
})

t.test('PUBREC alone makes the broker responsible', async (t) => {
  const { ledger, stream, found } = setUp(2, 2)
  stream.sent(stream.take())
  stream.acknowledge(0)
  ledger.judge()
  t.same(found(), { lost: 1 })
})

t.test('what was refused or never answered need not arrive, and may', async (t) => {
  const { ledger, stream, receiver, found } = setUp(1, 1)
  for (let sequence = 0; sequence < 4; sequence++) stream.sent(stream.take())
  stream.refuse(0)
  stream.refuse(1)
  deliver(receiver, stream, [1, 3])
  ledger.judge()
  t.same(found(), {})
  t.equal(ledger.unanswered(), 2)
  t.equal(ledger.counts().refused, 2)
})

t.test('a session that ends with its connection loses nothing by being away', async (t) => {
  const { ledger, stream, found } = setUp(1, 1, { isDurable: false })
  publish(stream, 2)
  ledger.judge()
  t.same(found(), {})
})

t.test('a QoS 2 message that arrives again is a violation, with DUP and without', async (t) => {
  for (const dup of [false, true]) {
    const { stream, receiver, found } = setUp(2, 2)
    publish(stream, 1)
    deliver(receiver, stream, [0])
    deliver(receiver, stream, [0], dup)
    t.same(found(), { qos2Duplicate: 1 })
  }
})

t.test('QoS 1 on either side allows repeats, which are counted', async (t) => {
  for (const [published, subscribed] of [
    [1, 2],
    [2, 1],
    [1, 1],
  ] as const) {
    const { ledger, stream, receiver, found } = setUp(published, subscribed)
    publish(stream, 2)
    deliver(receiver, stream, [0, 1])
    deliver(receiver, stream, [0, 1], true)
    t.same(found(), {})
    t.match(ledger.counts(), { repeatsWithDup: 2, repeatsOfPublisher: 0, delivered: 4 })
  }
})

t.test('a QoS 1 repeat without DUP needs a repeat of the publisher to explain it', async (t) => {
  const { ledger, stream, receiver, found } = setUp(1, 1)
  publish(stream, 1)
  stream.sent(0)
  deliver(receiver, stream, [0, 0])
  t.same(found(), {}, 'sent twice, delivered twice')
  deliver(receiver, stream, [0])
  t.same(found(), { duplicateWithoutDup: 1 })
  t.equal(ledger.counts().repeatsOfPublisher, 2)
})

t.test('a QoS 2 publisher that sends once explains no repeat at QoS 1', async (t) => {
  const { stream, receiver, found } = setUp(2, 1)
  publish(stream, 2)
  stream.sent(0)
  deliver(receiver, stream, [0, 0])
  t.same(found(), {}, 'sent twice')
  deliver(receiver, stream, [1, 1])
  t.same(found(), { duplicateWithoutDup: 1 })
})

t.test('a message that comes after a later one is out of order; a repeat is not', async (t) => {
  for (const qos of [1, 2] as const) {
    const { stream, receiver, found } = setUp(qos, qos)
    publish(stream, 4)
    deliver(receiver, stream, [0, 3, 2])
    t.same(found(), { outOfOrder: 1 })
  }
  const { stream, receiver, found } = setUp(1, 1)
  publish(stream, 3)
  deliver(receiver, stream, [0, 1, 2])
  deliver(receiver, stream, [1, 2], true)
  t.same(found(), {})
})

t.test(
  'order counts from SUBACK: a message that came before it may be followed by one that is sent again',
  async (t) => {
    const { stream, receiver, found } = setUp(1, 1)
    receiver.release(stream)
    publish(stream, 4)
    deliver(receiver, stream, [3, 1])
    t.same(found(), {}, 'subscribed when #3 came, and nobody knows since when')
    receiver.expect(stream)
    deliver(receiver, stream, [2])
    t.same(found(), {}, 'from before')
    publish(stream, 2)
    deliver(receiver, stream, [5, 4])
    t.same(found(), { outOfOrder: 1 })
  },
)

t.test('streams have an order of their own', async (t) => {
  const { ledger, stream, receiver, found } = setUp(1, 1)
  const other = ledger.addStream('publisher', 'a/c', 1)
  publish(stream, 2)
  publish(other, 2)
  deliver(receiver, stream, [0, 1])
  deliver(receiver, other, [0, 1])
  t.same(found(), {})
})

t.test('a group shares: in any order, but each message, and at QoS 2 once', async (t) => {
  const { ledger, stream, receiver, found } = setUp(2, 2, { isShared: true })
  publish(stream, 3)
  deliver(receiver, stream, [2, 0])
  t.same(found(), {})
  deliver(receiver, stream, [2])
  t.same(found(), { qos2Duplicate: 1 })
  ledger.judge()
  t.same(found(), { qos2Duplicate: 1, lost: 1 })
  const atLeastOnce = setUp(1, 2, { isShared: true })
  publish(atLeastOnce.stream, 1)
  deliver(atLeastOnce.receiver, atLeastOnce.stream, [0, 0])
  atLeastOnce.ledger.judge()
  t.same(atLeastOnce.found(), {}, 'another member may get it again')
})

t.test('only what is published while subscribed must arrive', async (t) => {
  const { ledger, stream, receiver, found } = setUp(1, 1)
  publish(stream, 2)
  deliver(receiver, stream, [0, 1])
  receiver.release(stream)
  publish(stream, 3)
  receiver.expect(stream)
  receiver.expect(stream)
  publish(stream, 2)
  t.equal(ledger.missing(), 2)
  deliver(receiver, stream, [4, 6])
  ledger.judge()
  t.same(found(), { lost: 1 }, '#5 was due, #2 and #3 were not, #4 was allowed')
  t.match(ledger.violations.examples[0].text, /#5/)
})

t.test('a session without past may get old messages again', async (t) => {
  const { stream, receiver, found } = setUp(2, 2, { isDurable: false })
  publish(stream, 2)
  deliver(receiver, stream, [0, 1])
  receiver.restart()
  deliver(receiver, stream, [0, 1])
  t.same(found(), {})
})

t.test('what was never sent cannot arrive', async (t) => {
  const { stream, receiver, found } = setUp(1, 1)
  publish(stream, 1)
  deliver(receiver, stream, [1])
  t.same(found(), { unexpected: 1 })
})

t.test('a loss says after which fault the message was sent; examples are bounded, counts are not', async (t) => {
  const { ledger, stream, found } = setUp(1, 1)
  publish(stream, 1)
  ledger.mark(1)
  publish(stream, 30)
  ledger.judge()
  t.same(found(), { lost: 31 })
  t.equal(ledger.violations.total, 31)
  t.equal(ledger.violations.examples.length, 20)
  t.match(ledger.violations.examples[0], { kind: 'lost', afterFaults: 1, text: /first after fault 0/ })
  t.match(ledger.violations.examples[1].text, /first after fault 1/)
})
