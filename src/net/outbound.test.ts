import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { createRingMemory, RingConsumer, RingProducer } from '../base/ring.js'
import { createMessage, PublishFields } from '../broker/message.js'
import { Outlet, receiverMeta } from '../broker/outlet.js'
import { Counter, createCountersMemory, openCounters } from '../contracts/counters.js'
import { KIND, OutboundKind, SLOT } from '../contracts/records.js'
import { type BrokerPacket, decodeBrokerPacket } from '../mqtt/client-codec.js'
import { payload, publishProperties, topicName } from '../mqtt/packets.arbitraries.js'
import { PacketType, type ProtocolVersion, type Qos } from '../mqtt/packets.js'
import { encodePublishProperties, encodeSubscriptionIdentifiers } from '../mqtt/publish-properties.js'
import { Connection, ConnectionState } from './connection.js'
import { OutboundWriter } from './outbound.js'
import { LOCAL_PEER } from './peer.fixture.js'
import { OutboundAliases } from './topic-aliases.js'
import { FakeTransport, splitPackets } from './transport.fixture.js'

interface Receiver {
  readonly slot: number
  readonly packetId?: number
  readonly qos?: Qos
  readonly retain?: boolean
  readonly dup?: boolean
}

/** A shard's outlet on one end, connections on the other. */
class Link {
  readonly counters = openCounters(createCountersMemory())
  readonly connections: (Connection | undefined)[] = []
  readonly transports: FakeTransport[] = []
  readonly writer = new OutboundWriter(this.counters, this.connections)
  readonly #producer: RingProducer
  readonly #consumer: RingConsumer
  readonly outlet: Outlet

  constructor(versions: readonly ProtocolVersion[], ringBytes = 1 << 20) {
    const memory = createRingMemory(ringBytes)
    this.#producer = new RingProducer(memory)
    this.#consumer = new RingConsumer(memory)
    this.outlet = new Outlet(this.#producer)
    for (const [slot, version] of versions.entries()) {
      const transport = new FakeTransport()
      const connection = new Connection(slot, transport, transport, LOCAL_PEER, 0, 1 << 20)
      connection.version = version
      connection.state = ConnectionState.CONNECTED
      this.connections.push(connection)
      this.transports.push(transport)
    }
  }

  connection(slot: number): Connection {
    return this.connections[slot] as Connection
  }

  deliver(
    topic: string,
    payload: Uint8Array,
    receivers: readonly Receiver[],
    properties: Uint8Array = new Uint8Array(0),
    ids?: number[],
  ): void {
    const fields = new PublishFields()
    const expiresAtMs = Number.POSITIVE_INFINITY
    fields.readMessage(createMessage({ topic, payload, properties, qos: 2, retain: false, expiresAtMs }), 0)
    const extra = ids && encodeSubscriptionIdentifiers(ids)
    this.outlet.openDelivery(fields, receivers.length, extra)
    for (const { slot, packetId = 0, qos = 0, retain = false, dup = false } of receivers) {
      this.outlet.addReceiver(slot, receiverMeta(packetId, qos, retain, dup))
    }
    this.outlet.closeDelivery(fields, extra)
  }

  /** Writes out all records. */
  flush(): void {
    for (this.#producer.publish(); !this.#consumer.isEmpty; this.#producer.publish()) {
      this.#consumer.drain((bytes, ints, at) => {
        const i = at >> 2
        if (ints[i + KIND] === OutboundKind.DELIVER) this.writer.deliver(bytes, ints, at)
        else this.writer.acks(this.connection(ints[i + SLOT]), ints, at)
      }, 1 << 30)
    }
    this.writer.flushAll(() => {})
  }

  take(slot: number): BrokerPacket[] {
    this.flush()
    return this.transports[slot].takePackets(this.connection(slot).version)
  }
}

t.test('one message, as each version wants it', async (t) => {
  const link = new Link([3, 4, 5])
  const properties = encodePublishProperties({
    contentType: 'json',
    userProperties: [
      ['b', '1'],
      ['a', '2'],
    ],
  })
  link.deliver(
    'a/b',
    Buffer.from('text'),
    [{ slot: 0 }, { slot: 1, qos: 1, packetId: 7, dup: true }, { slot: 2, qos: 2, packetId: 65_535, retain: true }],
    properties,
    [5, 300],
  )
  const common = { kind: 'publish', topic: 'a/b', payload: Buffer.from('text') }
  t.match(link.take(0), [{ ...common, qos: 0, packetId: 0, dup: false, retain: false }])
  t.match(link.take(1), [{ ...common, qos: 1, packetId: 7, dup: true, retain: false }])
  t.match(link.take(2), [
    {
      ...common,
      qos: 2,
      packetId: 65_535,
      dup: false,
      retain: true,
      properties: {
        contentType: 'json',
        subscriptionIdentifiers: [5, 300],
        userProperties: [
          ['b', '1'],
          ['a', '2'],
        ],
      },
    },
  ])
  t.match(link.counters[Counter.publishSent], 3)
  t.match(link.counters[Counter.publishSentBytes], 12)
  t.match(link.counters[Counter.packetsSent], 3)
})

t.test('any message decodes back', async () => {
  const message = fc.record({
    topic: topicName,
    payload,
    properties: publishProperties,
    ids: fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 3 }),
  })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 20 }), fc.boolean(), (messages, aliased) => {
      const link = new Link([4, 5])
      if (aliased) link.connection(1).outboundAliases = new OutboundAliases(2)
      for (const { topic, payload, properties, ids } of messages) {
        for (const _ of [1, 2]) {
          const receivers: Receiver[] = [{ slot: 0 }, { slot: 1, qos: 1, packetId: 9 }]
          link.deliver(topic, payload, receivers, encodePublishProperties(properties), ids)
        }
      }
      const twice = messages.flatMap((one) => [one, one])
      const known = new Map<number, string>()
      for (const slot of [0, 1]) {
        const packets = link.take(slot)
        assert.equal(packets.length, twice.length)
        for (const [place, packet] of packets.entries()) {
          if (packet.kind !== 'publish') throw new Error(packet.kind)
          const { topicAlias } = packet.properties
          if (topicAlias !== undefined && packet.topic !== '') known.set(topicAlias, packet.topic)
          const topic = topicAlias === undefined || packet.topic !== '' ? packet.topic : known.get(topicAlias)
          assert.equal(topic, twice[place].topic)
          assert.deepEqual(packet.payload, twice[place].payload)
          if (slot === 0) continue
          const { topicAlias: _, ...rest } = packet.properties
          const { userProperties = [], ...own } = twice[place].properties
          assert.deepEqual(rest, { ...own, userProperties, subscriptionIdentifiers: twice[place].ids })
        }
      }
    }),
    { numRuns: 150 },
  )
})

t.test('payloads larger than the gathering buffer and than the ring', async (t) => {
  const link = new Link([5, 4], 65_536)
  const sizes = [65_400, 65_536, 70_000, 300, 300_000, 10, 400]
  for (const size of sizes) link.deliver('a/b', new Uint8Array(size).fill(size & 255), [{ slot: 0 }, { slot: 1 }])
  for (const slot of [0, 1]) {
    const packets = link.take(slot)
    t.same(
      packets.map((packet) => packet.kind === 'publish' && packet.payload.length),
      sizes,
    )
    t.ok(
      packets.every(
        (packet, place) => packet.kind === 'publish' && packet.payload.every((byte) => byte === (sizes[place] & 255)),
      ),
    )
  }
})

t.test('many small messages are one write', async (t) => {
  const link = new Link([5])
  let writes = 0
  const { write } = link.transports[0]
  link.transports[0].write = (bytes, written) => {
    writes++
    write.call(link.transports[0], bytes, written)
  }
  for (let number = 0; number < 100; number++) link.deliver('t', Buffer.from(String(number)), [{ slot: 0 }])
  t.equal(link.take(0).length, 100)
  t.equal(writes, 1)
})

t.test('a buffer is used again only when its write is done', async (t) => {
  const link = new Link([5, 5])
  const held: Uint8Array[] = []
  const writtens: (() => void)[] = []
  for (const transport of link.transports) {
    transport.write = (bytes, written) => {
      held.push(bytes) // not copied: as the operating system reads it later
      writtens.push(written)
    }
  }
  for (let turn = 0; turn < 6; turn++) {
    const body = new Uint8Array(20_000).fill(turn)
    link.deliver('t', body, [{ slot: turn % 2 }])
    link.flush()
    if (turn === 3) for (const written of writtens.splice(0)) written()
  }
  // those whose writes were done may have been used again; the others must be untouched
  const last = held.slice(4).map((bytes) => decodeBrokerPacket(splitPackets(bytes)[0], 5))
  t.same(
    last.map((packet) => packet.kind === 'publish' && packet.payload[10]),
    [4, 5],
  )
  t.ok(last.every((packet, place) => packet.kind === 'publish' && packet.payload.every((byte) => byte === place + 4)))
})

t.test('outbound aliases: a topic that repeats loses its name', async (t) => {
  const link = new Link([5, 4])
  link.connection(0).outboundAliases = new OutboundAliases(1)
  for (const topic of ['long/topic', 'long/topic', 'long/topic', 'abcd', 'abcd', 'abcd']) {
    link.deliver(topic, Buffer.from('x'), [{ slot: 0 }, { slot: 1 }])
  }
  t.match(
    link.take(0).map((packet) => packet.kind === 'publish' && [packet.topic, packet.properties.topicAlias]),
    [
      ['long/topic', undefined],
      ['long/topic', 1],
      ['', 1],
      ['abcd', undefined],
      ['abcd', undefined],
      ['abcd', undefined],
    ],
    'shorter topics gain nothing',
  )
  t.ok(link.take(1).every((packet) => packet.kind === 'publish' && packet.topic !== ''))
})

t.test('an alias that would make the packet too large is left out', async (t) => {
  const link = new Link([5])
  const connection = link.connection(0)
  connection.outboundAliases = new OutboundAliases(4)
  connection.maximumPacketBytes = 2 + 2 + 10 + 1 + 5
  for (let turn = 0; turn < 3; turn++) link.deliver('long/topic', Buffer.from('12345'), [{ slot: 0 }])
  link.flush()
  const packets = splitPackets(link.transports[0].take())
  t.ok(packets.every((packet) => packet.length <= 20))
  connection.maximumPacketBytes = 1_000
  for (let turn = 0; turn < 3; turn++) link.deliver('long/topic', Buffer.from('12345'), [{ slot: 0 }])
  t.match(link.take(0).at(-1), { topic: '', properties: { topicAlias: 1 } })
})

t.test('acknowledgements of all kinds and versions', async (t) => {
  const link = new Link([4, 5])
  for (const slot of [0, 1]) {
    const { outlet } = link
    outlet.ack(slot, PacketType.PUBACK, 1, 0)
    outlet.ack(slot, PacketType.PUBREC, 2, 0x97)
    outlet.ack(slot, PacketType.PINGRESP, 0, 0)
    outlet.ack(slot, PacketType.PUBREL, 3, 0x92)
    outlet.ack(slot, PacketType.PUBCOMP, 65_535, 0)
    outlet.flushAcks()
    const code = (reasonCode: number): number => (slot === 0 ? 0 : reasonCode)
    t.match(link.take(slot), [
      { kind: 'puback', packetId: 1, reasonCode: 0 },
      { kind: 'pubrec', packetId: 2, reasonCode: code(0x97) },
      { kind: 'pingresp' },
      { kind: 'pubrel', packetId: 3, reasonCode: code(0x92) },
      { kind: 'pubcomp', packetId: 65_535, reasonCode: 0 },
    ])
  }
})

t.test('nothing for connections that are not connected, and QoS 0 is dropped for slow ones', async (t) => {
  const link = new Link([5, 5, 5])
  link.connection(0).state = ConnectionState.CLOSING
  link.connection(1).isSlow = true
  link.connections[2] = undefined
  link.deliver('t', Buffer.from('qos 0'), [{ slot: 0 }, { slot: 1 }, { slot: 2 }, { slot: 99 }])
  link.deliver('t', Buffer.from('qos 1'), [
    { slot: 0, qos: 1, packetId: 1 },
    { slot: 1, qos: 1, packetId: 1 },
  ])
  t.same(link.take(0), [])
  t.match(link.take(1), [{ qos: 1 }], 'the shard counts on its acknowledgement')
  t.equal(link.counters[Counter.droppedQos0Slow], 1)
})

t.test('a closed connection is forgotten', async (t) => {
  const link = new Link([5, 5])
  link.writer.packet(link.connection(0), Uint8Array.of(0xd0, 0))
  link.writer.packet(link.connection(1), Uint8Array.of(0xd0, 0))
  link.writer.drop(link.connection(0))
  link.connection(0).state = ConnectionState.CLOSED
  t.same(link.take(0), [])
  t.same(link.take(1), [{ kind: 'pingresp' }])
  t.equal(link.counters[Counter.bytesSent], 2)
})
