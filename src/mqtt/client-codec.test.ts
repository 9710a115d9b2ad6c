import t from 'tap'
import { encodeAck, PINGRESP } from './ack-codec.js'
import { decodeBrokerPacket, encodeConnect, PLAIN_CONNECT } from './client-codec.js'
import { decodeControl, encodeAuth, encodeDisconnect, encodeSuback, encodeUnsuback } from './control-codec.js'
import { PacketType } from './packets.js'
import { encodePublishProperties, encodeSubscriptionIdentifiers } from './publish-properties.js'
import { encodePublish } from './publish-writer.js'
import { block, field, refusalOf, wire } from './wire.fixture.js'

const read = (packet: Uint8Array | undefined, version: 3 | 4 | 5 = 5) =>
  decodeBrokerPacket(packet ?? new Uint8Array(0), version)

t.test('the plain CONNECT is plain', async (t) => {
  t.same([...encodeConnect(PLAIN_CONNECT)], [...wire(0x10, field('MQTT'), [5, 2, 0, 0, 0], field('test'))])
  t.same(decodeControl(PacketType.CONNECT, encodeConnect(PLAIN_CONNECT), 5), PLAIN_CONNECT)
})

t.test('what a broker sends', async (t) => {
  const properties = Buffer.concat([
    encodeSubscriptionIdentifiers([3, 4]),
    encodePublishProperties({
      contentType: 'c',
      userProperties: [
        ['b', '1'],
        ['a', '2'],
      ],
    }),
  ])
  const publish = encodePublish({
    version: 5,
    topic: 'a/b',
    payload: Buffer.from('p'),
    qos: 2,
    packetId: 7,
    properties,
  })
  t.match(read(publish), {
    kind: 'publish',
    topic: 'a/b',
    qos: 2,
    dup: false,
    retain: false,
    packetId: 7,
    payload: Uint8Array.of(0x70),
    properties: {
      subscriptionIdentifiers: [3, 4],
      contentType: 'c',
      userProperties: [
        ['b', '1'],
        ['a', '2'],
      ],
    },
  })
  t.match(read(encodeAck(PacketType.PUBREC, 5, 0x97, 5, 'full')), {
    kind: 'pubrec',
    packetId: 5,
    reasonCode: 0x97,
    reasonString: 'full',
    userProperties: [],
  })
  t.match(read(encodeAck(PacketType.PUBREL, 5, 0, 4), 4), { kind: 'pubrel', packetId: 5, reasonCode: 0 })
  t.match(read(encodeAck(PacketType.PUBACK, 5, 0, 5)), { kind: 'puback' })
  t.match(read(encodeAck(PacketType.PUBCOMP, 5, 0, 5)), { kind: 'pubcomp' })
  t.match(read(encodeSuback(9, [2, 0x8f], 5, 'why')), {
    kind: 'suback',
    packetId: 9,
    codes: [2, 0x8f],
    reasonString: 'why',
  })
  t.match(read(encodeUnsuback(9, [0x11], 5)), { kind: 'unsuback', packetId: 9, codes: [0x11] })
  t.match(read(encodeUnsuback(9, [0x11], 4), 4), { kind: 'unsuback', packetId: 9, codes: [] })
  t.match(read(encodeDisconnect(0x9c, { serverReference: 'there' })), {
    kind: 'disconnect',
    reasonCode: 0x9c,
    serverReference: 'there',
  })
  t.match(read(encodeAuth({ reasonCode: 0x18, authenticationMethod: 'M' })), {
    kind: 'auth',
    authenticationMethod: 'M',
  })
  t.same(read(PINGRESP), { kind: 'pingresp' })
})

t.test('user properties in their order', async (t) => {
  const pairs = [
    ['2', 'x'],
    ['1', 'y'],
    ['2', 'z'],
  ] as const
  const properties = block(...pairs.map(([name, value]) => [38, ...field(name), ...field(value)]))
  for (const packet of [
    wire(0x20, [0, 0], properties),
    wire(0x40, [0, 1, 0], properties),
    wire(0x90, [0, 1], properties, [0]),
    wire(0xb0, [0, 1], properties, [0]),
    wire(0xe0, [0x8b], properties),
    wire(0xf0, [0], properties),
  ]) {
    t.match(read(packet), { userProperties: pairs })
  }
})

t.test('what no broker sends', async (t) => {
  t.equal(
    refusalOf(() => read(encodeConnect(PLAIN_CONNECT))),
    'PROTOCOL_ERROR',
  )
  t.equal(
    refusalOf(() => read(Uint8Array.of(0x20, 9, 0))),
    'MALFORMED_PACKET',
  )
  t.throws(() => read(wire(0x20, [2, 0, 0])), { code: 'MALFORMED_PACKET' }, 'reserved bits of CONNACK: MQTT-3.2.2-1')
})
