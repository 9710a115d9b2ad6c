import t from 'tap'
import { BrokerError } from '../base/errors.js'
import { createRingMemory, RingConsumer, RingProducer } from '../base/ring.js'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import { Counter, createCountersMemory, openCounters } from '../contracts/counters.js'
import { encodeSubscribe } from '../mqtt/client-codec.js'
import { PacketType, type ProtocolVersion } from '../mqtt/packets.js'
import { encodePublishProperties } from '../mqtt/publish-properties.js'
import { encodePublish } from '../mqtt/publish-writer.js'
import { Connection, ConnectionState } from './connection.js'
import { type ControlHandler, InboundReader } from './inbound.js'
import { LOCAL_PEER } from './peer.fixture.js'
import { takeRecords } from './ring-records.fixture.js'
import { FakeTransport } from './transport.fixture.js'

const NOW_MS = 1_000_000

interface SetUp {
  readonly connection: Connection
  /** @returns the records that came of it; the error's code last, if there was one */
  readonly read: (...parts: readonly (Uint8Array | readonly number[])[]) => string[]
  readonly count: (name: keyof typeof Counter) => number
  readonly controls: string[]
}

function setUp(version: ProtocolVersion = 5, config: BrokerConfigInput = {}, goesOn = true): SetUp {
  const counters = openCounters(createCountersMemory())
  const memory = createRingMemory(65_536)
  const [producer, consumer] = [new RingProducer(memory), new RingConsumer(memory)]
  const controls: string[] = []
  const control: ControlHandler = (_, type, bytes, start, length) => {
    controls.push(`${type} ${Buffer.from(bytes.slice(start, start + length)).toString('hex')}`)
    return goesOn
  }
  const parsed = BrokerConfig.parse(config)
  const reader = new InboundReader(parsed, counters, control)
  const transport = new FakeTransport()
  const connection = new Connection(3, transport, transport, LOCAL_PEER, 0, parsed.connection.packetBytesMax)
  connection.version = version
  connection.shard = 0
  connection.state = ConnectionState.CONNECTED
  let error: string[] = []
  transport.open({
    onData: (bytes, length) => {
      try {
        reader.take(connection, bytes, length, () => producer, NOW_MS)
      } catch (thrown) {
        error = [thrown instanceof BrokerError ? thrown.code : String(thrown)]
      }
    },
    onDrain: () => {},
    onClose: () => {},
  })
  const read = (...parts: readonly (Uint8Array | readonly number[])[]): string[] => {
    error = []
    transport.receive(...parts.map((part) => Uint8Array.from(part)))
    return [...takeRecords(producer, consumer), ...error]
  }
  return { connection, read, count: (name) => counters[Counter[name]], controls }
}

const publish = (topic: string, payload: string, properties: number[] = []): Uint8Array =>
  encodePublish({ version: 5, topic, payload: Buffer.from(payload), qos: 0, properties: Uint8Array.from(properties) })
const ALIAS = (alias: number): number[] => [0x23, alias >> 8, alias & 255]

t.test('packets of each kind', async (t) => {
  const subscription = { filter: 'a/#', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
  const subscribe = encodeSubscribe(
    {
      kind: 'subscribe',
      packetId: 9,
      subscriptions: [subscription],
      subscriptionIdentifier: undefined,
      userProperties: [],
    },
    5,
  )
  const properties = encodePublishProperties({ expirySeconds: 0xffff_ffff })
  const cases: [title: string, packet: Uint8Array, record: string][] = [
    ['QoS 0', publish('a/b', 'text'), '3 publish a/b=text q0 #0'],
    [
      'all flags and an expiry',
      encodePublish({
        version: 5,
        topic: 'ü',
        payload: Buffer.from('x'),
        qos: 2,
        packetId: 513,
        dup: true,
        retain: true,
        properties,
      }),
      '3 publish ü=x q2 #513 dup retain expires 4294967295 02ffffffff',
    ],
    ['PUBACK', Uint8Array.of(0x40, 2, 1, 2), '3 ack 4 #258 0x0'],
    ['PUBREC with a reason', Uint8Array.of(0x50, 3, 0, 1, 0x97), '3 ack 5 #1 0x97'],
    ['PUBREL', Uint8Array.of(0x62, 2, 0, 1), '3 ack 6 #1 0x0'],
    ['PUBCOMP', Uint8Array.of(0x70, 2, 255, 255), '3 ack 7 #65535 0x0'],
    ['PINGREQ', Uint8Array.of(0xc0, 0), '3 control 12 c000'],
    ['SUBSCRIBE', subscribe, `3 control 8 ${Buffer.from(subscribe).toString('hex')}`],
  ]
  const { read, count, connection } = setUp()
  for (const [title, packet, record] of cases) t.same(read(packet), [record], title)
  t.same(
    read(...cases.map(([, packet]) => packet)),
    cases.map(([, , record]) => record),
    'all in one read',
  )
  t.equal(count('packetsReceived'), 16)
  t.equal(count('publishReceived'), 4)
  t.equal(count('publishReceivedBytes'), 10)
  t.equal(count('bytesReceived'), cases.reduce((sum, [, packet]) => sum + packet.length, 0) * 2)
  t.equal(connection.lastPacketMs, NOW_MS)
})

t.test('what is about the connection itself comes after everything before it is with the shard', async (t) => {
  const { read, controls } = setUp()
  t.same(read(publish('a', '1'), [0xe0, 0], publish('a', '2')), ['3 publish a=1 q0 #0', '3 publish a=2 q0 #0'])
  t.same(controls, ['14 e000'])
  const stopping = setUp(5, {}, false)
  t.same(stopping.read(publish('a', '1'), [0xe0, 0], publish('a', '2')), ['3 publish a=1 q0 #0'])
  t.equal(stopping.connection.partialBytes, publish('a', '2').length, 'the rest is left for later')
})

t.test('before there is a shard, everything is about the connection', async (t) => {
  const { connection, read, controls } = setUp()
  connection.shard = -1
  t.same(read([0xc0, 0, 0x30, 1]), [])
  t.same(controls, ['12 c000'])
  t.same(read([7]), [])
  t.same(controls, ['12 c000', '3 300107'])
})

t.test('the size of a packet is judged by its header', async (t) => {
  const { connection, read, count } = setUp(5, { connection: { packetBytesMax: 1_024 } })
  const body = (length: number): number[] => [0x30, ...[(length & 127) | 128, length >> 7]]
  t.same(read(body(1_021)), [], '1,024 bytes in all')
  const larger = setUp(5, { connection: { packetBytesMax: 1_024 } })
  t.same(larger.read(publish('a', '1'), body(1_022)), ['3 publish a=1 q0 #0', 'PACKET_TOO_LARGE'])
  t.same(setUp(5, { connection: { packetBytesMax: 1_024 } }).read([0x30, 0xff, 0xff, 0xff, 0x7f]), ['PACKET_TOO_LARGE'])
  connection.packetBytesMax = 10
  t.equal(connection.partialBytes, 3)
  t.equal(count('packetsReceived'), 0)
})

t.test('the pieces of a large packet are joined once, when it is complete', async (t) => {
  const { connection, read } = setUp()
  const packet = publish('t', 'x'.repeat(50_000))
  for (let from = 0; from < 50_000; from += 10_000) {
    t.same(read(packet.subarray(from, from + 10_000)), [])
    t.equal(connection.partial.length, from / 10_000 + 1)
  }
  t.match(read(packet.subarray(50_000)), [/^3 publish t=x{50000} /])
  t.equal(connection.partialBytes, 0)
})

t.test('a large packet byte by byte takes little more than its bytes', async (t) => {
  const { connection, read } = setUp()
  const body = Buffer.from(publish('t', 'x'.repeat(50_000)))
  for (let at = 100; at < body.length; at++) body[at] = 97 + (at % 26)
  t.same(read(body.subarray(0, 20_000)), [])
  for (let at = 20_000; at < body.length - 1; at++) {
    read(body.subarray(at, at + 1))
    if (connection.partial.length > 100) break
  }
  t.ok(connection.partial.length <= 10 + 64, `${connection.partial.length} pieces`)
  t.equal(connection.partialBytes, body.length - 1)
  const [long] = connection.partial
  t.equal(long.length, 20_000, 'long pieces stay as they are')
  const [record] = read(body.subarray(-1))
  t.equal(record.slice(record.indexOf('=') + 1, record.indexOf(' q0')), body.toString('latin1', 8))
})

t.test('what clients may not send', async (t) => {
  const cases: [title: string, bytes: readonly number[], code: string, version?: ProtocolVersion][] = [
    ['a length of five bytes', [0x30, 0x80, 0x80, 0x80, 0x80, 0x01], 'MALFORMED_PACKET'],
    ['a padded length', [0x40, 0x82, 0x00, 0, 1], 'MALFORMED_PACKET'],
    ['type 0', [0x00, 0], 'MALFORMED_PACKET'],
    ['QoS 3', [0x36, 5, 0, 1, 97, 0, 1], 'MALFORMED_PACKET'],
    ['wrong flags', [0x41, 2, 0, 1], 'MALFORMED_PACKET'],
    ['a packet for servers', [0x20, 2, 0, 0], 'PROTOCOL_ERROR'],
    ['PINGREQ with a body', [0xc0, 1, 0], 'MALFORMED_PACKET'],
    ['packet identifier 0', [0x40, 2, 0, 0], 'PROTOCOL_ERROR'],
    ['a wildcard in the topic', [0x30, 4, 0, 1, 0x23, 0], 'TOPIC_NAME_INVALID'],
    ['no topic and no alias', [0x30, 3, 0, 0, 0], 'PROTOCOL_ERROR'],
    ['AUTH before MQTT 5', [0xf0, 0], 'MALFORMED_PACKET', 4],
    ['a truncated PUBLISH', [0x32, 4, 0, 1, 97, 0], 'MALFORMED_PACKET'],
  ]
  for (const [title, bytes, code, version] of cases) {
    const { read } = setUp(version)
    t.same(
      read([0xc0, 0], bytes, [0xc0, 0]),
      ['3 control 12 c000', code],
      `${title}: what came before has gone its way`,
    )
  }
})

t.test('limits of topics', async (t) => {
  const config = { topic: { bytesMax: 9, levelsMax: 3 } }
  const cases: [topic: string, result: RegExp][] = [
    ['a/b/c', /^3 publish/],
    ['a/b/c/d', /^TOPIC_NAME_INVALID$/],
    ['123456789', /^3 publish/],
    ['1234567890', /^TOPIC_NAME_INVALID$/],
    ['/////////', /^TOPIC_NAME_INVALID$/],
  ]
  for (const [topic, result] of cases) {
    t.match(setUp(5, config).read(publish(topic, '')), [result], topic)
    t.match(setUp(5, config).read(publish(topic, '', ALIAS(1))), [result], `${topic} with an alias`)
  }
})

t.test('topic aliases: set, used, set anew', async (t) => {
  const { read } = setUp()
  const properties = [...encodePublishProperties({ contentType: 'json', expirySeconds: 5 })]
  t.same(read(publish('first', '1', ALIAS(1)), publish('', '2', ALIAS(1))), [
    '3 publish first=1 q0 #0',
    '3 publish first=2 q0 #0',
  ])
  t.same(read(publish('second', '3', ALIAS(2)), publish('', '4', ALIAS(1))), [
    '3 publish second=3 q0 #0',
    '3 publish first=4 q0 #0',
  ])
  t.same(read(publish('third/one', '5', ALIAS(1)), publish('', '6', ALIAS(1)), publish('', '7', ALIAS(2))), [
    '3 publish third/one=5 q0 #0',
    '3 publish third/one=6 q0 #0',
    '3 publish second=7 q0 #0',
  ])
  const hex = Buffer.from(properties).toString('hex')
  for (const place of [0, 5, properties.length]) {
    const mixed = [...properties.slice(0, place), ...ALIAS(2), ...properties.slice(place)]
    t.same(
      read(publish('', 'x', mixed)),
      [`3 publish second=x q0 #0 expires 5 ${hex}`],
      `the alias at ${place}: other properties stay`,
    )
  }
  const qos = encodePublish({
    version: 5,
    topic: '',
    payload: Buffer.from('x'),
    qos: 2,
    packetId: 7,
    dup: true,
    properties: Uint8Array.from(ALIAS(2)),
  })
  t.same(read([0xc0, 0], qos, [0xc0, 0]), ['3 control 12 c000', '3 publish second=x q2 #7 dup', '3 control 12 c000'])
})

t.test('a large message by alias', async (t) => {
  const { read } = setUp()
  const payload = 'x'.repeat(200_000)
  t.same(read(publish('t', '', ALIAS(64)), publish('', payload, ALIAS(64))), [
    '3 publish t= q0 #0',
    `3 publish t=${payload} q0 #0`,
  ])
})

t.test('topic aliases that are not valid', async (t) => {
  const { read } = setUp(5, { connection: { topicAliasMax: 2 } })
  t.same(read(publish('', 'x', ALIAS(1))), ['PROTOCOL_ERROR'], 'never set')
  t.same(read(publish('t', 'x', ALIAS(2)), publish('', 'x', ALIAS(1))), ['3 publish t=x q0 #0', 'PROTOCOL_ERROR'])
  t.same(read(publish('t', 'x', ALIAS(3))), ['TOPIC_ALIAS_INVALID'], 'more than the maximum [MQTT-3.2.2-17]')
  t.same(read(publish('t', 'x', ALIAS(0))), ['TOPIC_ALIAS_INVALID'], '[MQTT-3.3.2-8]')
  const none = setUp(5, { connection: { topicAliasMax: 0 } })
  t.same(none.read(publish('t', 'x', ALIAS(1))), ['TOPIC_ALIAS_INVALID'])
})

t.test('one connection leaves nothing behind for the next', async (t) => {
  const { connection, read } = setUp()
  connection.shard = -1
  const { read: other } = setUp()
  t.same(read(publish('a', '1')), [])
  t.same(other([PacketType.PINGREQ << 4, 0]), ['3 control 12 c000'])
})

t.test('a read with more packets than one record takes', async (t) => {
  const { read } = setUp()
  const count = 5_000
  const stream = Array.from({ length: count }, (_, number) => publish('t', String(number)))
  t.same(
    read(...stream),
    stream.map((_, number) => `3 publish t=${number} q0 #0`),
  )
})
