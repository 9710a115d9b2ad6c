/** What publishers and subscribers do with packets, without a network. */
import t, { type Test } from 'tap'
import { PacketType, type Qos } from '../../src/mqtt/packets.js'
import { Ledger } from './ledger.js'
import { encodeMessage } from './message.js'
import { Publisher } from './publisher.js'
import type { Publish } from './session-client.js'
import { Subscriber } from './subscriber.js'

/** The client sends nothing, and believes that it is connected when `isConnected` says so. */
function setUp(isConnected: boolean, qos: Qos = 2) {
  const ledger = new Ledger()
  const { violations } = ledger
  const site = { dialer: undefined, violations, onWelcome: () => undefined, reconnectMs: () => 0, isExcused: false }
  const publishing = { clientId: 'publisher', version: 5, window: 3, payloadBytes: 20, retain: false } as const
  const publisher = new Publisher(publishing, ledger, site)
  publisher.addStream('a/b', qos)
  const receiver = ledger.addReceiver({ name: 'subscriber', qos, isDurable: true, isShared: false })
  const subscribing = { clientId: 'subscriber', version: 5, isPersistent: true, receiveMaximum: 10, qos } as const
  const subscriber = new Subscriber(subscribing, receiver, ledger, site)
  const sent: { client: 'publisher' | 'subscriber'; bytes: Uint8Array }[] = []
  for (const [client, one] of [
    ['publisher', publisher],
    ['subscriber', subscriber],
  ] as const) {
    Object.defineProperty(one.client, 'isConnected', { get: () => isConnected })
    one.client.write = (bytes) => void sent.push({ client, bytes })
  }
  const types = () => sent.splice(0).map(({ bytes }) => [bytes[0] >>> 4, (bytes[0] & 8) !== 0 ? 'dup' : ''].join(''))
  return { ledger, publisher, subscriber, site, types, stream: publisher.streams[0] }
}

function publish(sequence: number, packetId: number, { dup = false, qos = 2 as Qos } = {}): Publish {
  const payload = encodeMessage({ stream: 0, sequence }, 20)
  return {
    kind: 'publish',
    topic: 'a/b',
    payload,
    qos,
    dup,
    retain: false,
    packetId,
    properties: {},
  } as unknown as Publish
}

t.test('a publisher keeps to its window and goes on as it is answered', async (t) => {
  const { publisher, types, stream } = setUp(true, 1)
  t.same(
    [1, 2, 3, 4].map(() => publisher.publish(0)),
    [true, true, true, false],
  )
  publisher.onAck(PacketType.PUBACK, 1, 0)
  t.ok(publisher.publish(0))
  t.same(types(), ['3', '3', '3', '3'])
  t.match(stream, { next: 4, acknowledged: 1 })
})

t.test('what is unacknowledged goes out again in order: PUBLISH with DUP, or PUBREL', async (t) => {
  const { publisher, types, stream, ledger } = setUp(true)
  for (let nth = 0; nth < 3; nth++) publisher.publish(0)
  publisher.onAck(PacketType.PUBREC, 1, 0)
  t.same(types(), ['3', '3', '3', '6'])
  publisher.onConnected(false)
  t.same(types(), ['6', '3dup', '3dup'])
  t.equal(ledger.publishedAgain, 2)
  t.same([stream.sends(0), stream.sends(1)], [1, 2])
  t.equal(stream.lastComplete(), -1)
  publisher.onAck(PacketType.PUBCOMP, 1, 0)
  t.equal(stream.lastComplete(), 0)
})

t.test('a refusal needs an excuse', async (t) => {
  const { publisher, site, ledger, stream } = setUp(true)
  for (let nth = 0; nth < 3; nth++) publisher.publish(0)
  publisher.onAck(PacketType.PUBREC, 1, 0x97)
  t.equal(ledger.violations.count('publishRefused'), 1)
  site.isExcused = true
  publisher.onAck(PacketType.PUBREC, 2, 0x97)
  t.equal(ledger.violations.count('publishRefused'), 1)
  t.equal(stream.refused, 2)
  t.equal(ledger.unanswered(), 1)
})

t.test('a publish that is not answered needs an excuse, and makes the client connect again', async (t) => {
  const { publisher, site, ledger } = setUp(true)
  let drops = 0
  publisher.client.drop = () => void drops++
  publisher.publish(0)
  publisher.checkStall(9_999)
  t.equal(drops, 0)
  publisher.checkStall(10_000)
  t.same([drops, ledger.violations.count('stalled')], [1, 1])
  site.isExcused = true
  publisher.checkStall(20_000)
  t.same([drops, ledger.violations.count('stalled')], [2, 1])
})

/** A stream with messages that were sent and acknowledged. */
function received(t: Test) {
  const context = setUp(true)
  for (let nth = 0; nth < 3; nth++) context.publisher.publish(0)
  context.types()
  return {
    ...context,
    count: (kind: 'packetIdReused' | 'retransmissionWithoutDup' | 'qos2Duplicate') => {
      t.equal(context.ledger.violations.count('unexpected'), 0)
      return context.ledger.violations.count(kind)
    },
  }
}

t.test('a QoS 2 message counts once until it is released', async (t) => {
  const { subscriber, ledger, types, count } = received(t)
  subscriber.onPublish(publish(0, 5))
  subscriber.onPublish(publish(0, 5, { dup: true }))
  t.same(types(), ['5', '5'])
  t.match(ledger.counts(), { delivered: 1, retransmitted: 1 })
  subscriber.onAck(PacketType.PUBREL, 5)
  t.same(types(), ['7'])
  subscriber.onPublish(publish(1, 5))
  t.equal(ledger.violations.total, 0, 'the packet identifier was free again')
  subscriber.onAck(PacketType.PUBREL, 5)
  subscriber.onPublish(publish(1, 5, { dup: true }))
  t.equal(count('qos2Duplicate'), 1, 'it was released')
})

t.test('a retransmission carries DUP and the same message', async (t) => {
  const { subscriber, count } = received(t)
  subscriber.onPublish(publish(0, 5))
  subscriber.onPublish(publish(0, 5))
  t.equal(count('retransmissionWithoutDup'), 1)
  subscriber.onPublish(publish(1, 5, { dup: true }))
  t.equal(count('packetIdReused'), 1)
})

t.test('what was received stays known across connections, but not across sessions', async (t) => {
  const { subscriber, ledger, count } = received(t)
  subscriber.onPublish(publish(0, 5))
  subscriber.onConnected(false)
  subscriber.onPublish(publish(0, 5, { dup: true }))
  t.equal(ledger.retransmitted, 1)
  subscriber.onConnected(true)
  subscriber.onPublish(publish(0, 5, { dup: true }))
  t.equal(count('qos2Duplicate'), 1)
})

t.test('a message comes at the lower of both levels', async (t) => {
  const { subscriber, ledger } = received(t)
  subscriber.onPublish(publish(0, 5, { qos: 1 }))
  t.equal(ledger.violations.count('unexpected'), 1)
})
