import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { createRingMemory, RingConsumer, RingProducer } from '../base/ring.js'
import {
  DELIVER_COUNT,
  DELIVER_EXTRA,
  DELIVER_EXTRA_BYTES,
  DELIVER_PAYLOAD,
  DELIVER_PAYLOAD_BYTES,
  DELIVER_PROPERTIES,
  DELIVER_PROPERTIES_BYTES,
  DELIVER_RECEIVERS,
  DELIVER_TOPIC,
  DELIVER_TOPIC_BYTES,
  KIND,
  OutboundKind,
  SLOT,
} from '../contracts/records.js'
import { PacketType } from '../mqtt/packets.js'
import { PublishFields } from './message.js'
import { Outlet, receiverMeta } from './outlet.js'

/** What came out: a text for each record. */
function setUp(): { outlet: Outlet; records: () => string[] } {
  const memory = createRingMemory(4_096)
  const [producer, consumer] = [new RingProducer(memory), new RingConsumer(memory)]
  const records = (): string[] => {
    const found: string[] = []
    for (producer.publish(); !consumer.isEmpty; producer.publish()) {
      consumer.drain((bytes, ints, at) => found.push(textOf(bytes, ints, at)), 4_096)
    }
    return found
  }
  return { outlet: new Outlet(producer), records }
}

function textOf(bytes: Uint8Array, ints: Int32Array, at: number): string {
  const i = at >> 2
  const name = Object.entries(OutboundKind).find(([, kind]) => kind === ints[i + KIND])?.[0]
  if (ints[i + KIND] === OutboundKind.DELIVER) {
    const part = (start: number, length: number): string =>
      Buffer.from(bytes).toString('latin1', at + ints[i + start], at + ints[i + start] + ints[i + length])
    const receivers = Array.from({ length: ints[i + DELIVER_COUNT] }, (_, k) => {
      const receiver = i + DELIVER_RECEIVERS + k * 2
      return `${ints[receiver]}:${ints[receiver + 1].toString(16)}`
    })
    const extra = part(DELIVER_EXTRA, DELIVER_EXTRA_BYTES)
    const properties = part(DELIVER_PROPERTIES, DELIVER_PROPERTIES_BYTES)
    const message = `${part(DELIVER_TOPIC, DELIVER_TOPIC_BYTES)}|${extra}|${properties}|${part(DELIVER_PAYLOAD, DELIVER_PAYLOAD_BYTES)}`
    return `DELIVER ${receivers.join(',')} ${message}`
  }
  if (ints[i + KIND] === OutboundKind.ACKS) {
    const acks = Array.from({ length: ints[i + 3] }, (_, k) => (ints[i + 4 + k] >>> 0).toString(16))
    return `ACKS ${ints[i + SLOT]} ${acks.join(',')}`
  }
  const isSignal = ints[i + KIND] === OutboundKind.MARK || ints[i + KIND] === OutboundKind.RELEASED
  const text = isSignal ? '' : Buffer.from(bytes).toString('latin1', at + 16, at + 16 + ints[i + 3])
  return `${name} ${ints[i + SLOT]} ${text}`.trim()
}

function message(topic: string, properties: string, payload: string, lead = 0): PublishFields {
  const fields = new PublishFields()
  const memory = new ArrayBuffer((lead + topic.length + properties.length + payload.length + 8) & ~3)
  fields.bytes = new Uint8Array(memory)
  fields.ints = new Int32Array(memory)
  fields.bytes.set(Buffer.from(topic + properties + payload, 'latin1'), lead)
  fields.topicStart = lead
  fields.topicBytes = topic.length
  fields.propertiesStart = lead + topic.length
  fields.propertiesBytes = properties.length
  fields.payloadStart = lead + topic.length + properties.length
  fields.payloadBytes = payload.length
  return fields
}

t.test('how a message goes to a receiver', async (t) => {
  const cases: [packetId: number, qos: number, retain: boolean, dup: boolean, meta: number][] = [
    [0, 0, false, false, 0],
    [65_535, 2, true, true, 0xeffff],
    [1, 1, true, false, 0x50001],
    [1, 1, false, true, 0x90001],
  ]
  for (const [packetId, qos, retain, dup, meta] of cases) t.equal(receiverMeta(packetId, qos, retain, dup), meta)
})

t.test('one record for many receivers', async (t) => {
  const { outlet, records } = setUp()
  const fields = message('a/b', 'pp', 'payload', 3)
  t.notOk(outlet.isOpen)
  outlet.openDelivery(fields, 5)
  t.ok(outlet.isOpen)
  outlet.addReceiver(7, 0x10001)
  outlet.addReceiver(9, 0)
  outlet.closeDelivery(fields)
  t.notOk(outlet.isOpen)
  outlet.openDelivery(fields, 5)
  outlet.closeDelivery(fields)
  t.same(records(), ['DELIVER 7:10001,9:0 a/b||pp|payload'], 'a record without receivers is dropped')
})

t.test('any message, any number of receivers, any extra properties', async () => {
  const text = (maxLength: number): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom('x', 'y', 'z'), maxLength })
  const delivery = fc.record({
    topic: text(9).map((topic) => `t${topic}`),
    properties: text(9),
    payload: fc.oneof(text(50), fc.constantFrom('p'.repeat(1_000), 'p'.repeat(2_100), 'p'.repeat(9_000))),
    extra: text(7),
    receivers: fc.integer({ min: 1, max: 40 }),
    lead: fc.nat(7),
  })
  fc.assert(
    fc.property(fc.array(delivery, { maxLength: 8 }), (deliveries) => {
      const { outlet, records } = setUp()
      const expected = deliveries.map(({ topic, properties, payload, extra, receivers, lead }) => {
        const fields = message(topic, properties, payload, lead)
        const bytes = Buffer.from(extra)
        outlet.openDelivery(fields, receivers, bytes)
        const slots = Array.from({ length: receivers }, (_, slot) => slot)
        for (const slot of slots) outlet.addReceiver(slot, slot)
        outlet.closeDelivery(fields, bytes)
        return `DELIVER ${slots.map((slot) => `${slot}:${slot.toString(16)}`)} ${topic}|${extra}|${properties}|${payload}`
      })
      assert.deepEqual(records(), expected)
    }),
    { numRuns: 150 },
  )
})

t.test('acknowledgements of one connection go out together', async (t) => {
  const { outlet, records } = setUp()
  outlet.ack(1, PacketType.PUBACK, 5, 0)
  outlet.ack(1, PacketType.PUBREC, 0xffff, 0x97)
  outlet.ack(2, PacketType.PINGRESP, 0, 0)
  t.same(records(), ['ACKS 1 4000005,597ffff'], 'those of the next connection wait')
  outlet.flushAcks()
  outlet.flushAcks()
  t.same(records(), ['ACKS 2 d000000'])
})

t.test('more acknowledgements than fit in one record', async (t) => {
  const { outlet, records } = setUp()
  for (let packetId = 1; packetId <= 600; packetId++) outlet.ack(1, PacketType.PUBACK, packetId, 0)
  outlet.flushAcks()
  const seen = records().flatMap((record) => record.split(' ')[2].split(','))
  t.same(
    seen.map((ack) => Number.parseInt(ack, 16) & 0xffff),
    Array.from({ length: 600 }, (_, place) => place + 1),
  )
})

t.test('packets and signals come behind the acknowledgements before them', async (t) => {
  const { outlet, records } = setUp()
  outlet.ack(1, PacketType.PUBACK, 5, 0)
  outlet.send(OutboundKind.SEND, 1, Buffer.from('suback'))
  outlet.ack(1, PacketType.PUBACK, 6, 0)
  outlet.signal(OutboundKind.MARK, 1)
  outlet.ack(1, PacketType.PUBACK, 7, 0)
  outlet.send(OutboundKind.CLOSE, 1)
  outlet.signal(OutboundKind.RELEASED, 1)
  t.same(records(), [
    'ACKS 1 4000005',
    'SEND 1 suback',
    'ACKS 1 4000006',
    'MARK 1',
    'ACKS 1 4000007',
    'CLOSE 1',
    'RELEASED 1',
  ])
})
