import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { createRingMemory, RingConsumer, RingProducer } from '../base/ring.js'
import { BrokerConfig } from '../config/schema.js'
import { createCountersMemory, openCounters } from '../contracts/counters.js'
import { encodeSubscribe } from '../mqtt/client-codec.js'
import {
  packetId,
  payload,
  publishProperties,
  qos,
  subscribe,
  topicName,
  version,
} from '../mqtt/packets.arbitraries.js'
import type { ProtocolVersion } from '../mqtt/packets.js'
import { encodePublishProperties } from '../mqtt/publish-properties.js'
import { encodePublish } from '../mqtt/publish-writer.js'
import { Connection, ConnectionState } from './connection.js'
import { InboundReader } from './inbound.js'
import { LOCAL_PEER } from './peer.fixture.js'
import { takeRecords } from './ring-records.fixture.js'
import { FakeTransport } from './transport.fixture.js'

const config = BrokerConfig.parse({ topic: { levelsMax: 1_000 } })
const counters = openCounters(createCountersMemory())
const memory = createRingMemory(65_536)
const [producer, consumer] = [new RingProducer(memory), new RingConsumer(memory)]
const reader = new InboundReader(config, counters, () => true)

/** What comes of the stream when it is read in pieces of these sizes. */
function recordsOf(version: ProtocolVersion, stream: Buffer, sizes: readonly number[]): string[] {
  const transport = new FakeTransport()
  const connection = new Connection(0, transport, transport, LOCAL_PEER, 0, 1 << 20)
  connection.version = version
  connection.shard = 0
  connection.state = ConnectionState.CONNECTED
  transport.open({
    onData: (bytes, length) => reader.take(connection, bytes, length, () => producer, 0),
    onDrain: () => {},
    onClose: () => {},
  })
  const records: string[] = []
  for (let from = 0, turn = 0; from < stream.length; turn++) {
    const to = from + (sizes[turn % Math.max(1, sizes.length)] ?? stream.length)
    transport.receive(stream.subarray(from, to))
    records.push(...takeRecords(producer, consumer))
    from = to
  }
  assert.equal(connection.partialBytes, 0)
  return records
}

const largePayload = fc.oneof(
  { weight: 5, arbitrary: payload },
  { weight: 1, arbitrary: fc.integer({ min: 1_000, max: 40_000 }).map((length) => new Uint8Array(length).fill(0x61)) },
)

function publishPacket(version: ProtocolVersion): fc.Arbitrary<{ bytes: Uint8Array; record: string | undefined }> {
  const message = fc.record({
    topic: topicName,
    payload: largePayload,
    qos,
    packetId,
    retain: fc.boolean(),
    dup: fc.boolean(),
    properties: publishProperties,
  })
  return message.map((parts) => {
    const dup = parts.dup && parts.qos > 0
    const properties = version === 5 ? encodePublishProperties(parts.properties) : new Uint8Array(0)
    const { expirySeconds } = version === 5 ? parts.properties : { expirySeconds: undefined }
    const texts = [
      `0 publish ${parts.topic}=${Buffer.from(parts.payload).toString()} q${parts.qos} #${parts.qos === 0 ? 0 : parts.packetId}`,
      dup ? ' dup' : '',
      parts.retain ? ' retain' : '',
      expirySeconds === undefined ? '' : ` expires ${expirySeconds}`,
      properties.length === 0 ? '' : ` ${Buffer.from(properties).toString('hex')}`,
    ]
    return { bytes: encodePublish({ ...parts, dup, version, properties }), record: texts.join('') }
  })
}

function packet(version: ProtocolVersion): fc.Arbitrary<{ bytes: Uint8Array; record: string | undefined }> {
  return fc.oneof(
    { weight: 4, arbitrary: publishPacket(version) },
    {
      weight: 1,
      arbitrary: subscribe(version).map((value) => ({ bytes: encodeSubscribe(value, version), record: undefined })),
    },
    {
      weight: 2,
      arbitrary: packetId.map((id) => ({
        bytes: Uint8Array.of(0x40, 2, id >> 8, id & 255),
        record: `0 ack 4 #${id} 0x0`,
      })),
    },
    { weight: 1, arbitrary: fc.constant({ bytes: Uint8Array.of(0xc0, 0), record: '0 control 12 c000' }) },
  )
}

t.test('any split of the stream gives the same packets, and these are what was sent', async () => {
  const stream = version.chain((version) =>
    fc.tuple(fc.constant(version), fc.array(packet(version), { minLength: 1, maxLength: 12 })),
  )
  const sizes = fc.oneof(
    fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 10 }),
    fc.array(fc.integer({ min: 1, max: 9_000 }), { maxLength: 10 }),
  )
  fc.assert(
    fc.property(stream, sizes, ([version, packets], sizes) => {
      const bytes = Buffer.concat(packets.map((one) => one.bytes))
      const whole = recordsOf(version, bytes, [])
      assert.equal(whole.length, packets.length)
      for (const [place, { bytes, record }] of packets.entries()) {
        assert.equal(whole[place], record ?? `0 control 8 ${Buffer.from(bytes).toString('hex')}`)
      }
      assert.deepEqual(recordsOf(version, bytes, sizes), whole)
    }),
    { numRuns: 200 },
  )
})
