import t from 'tap'
import { decode } from './broker-packets.js'
import type { Version } from './client-packets.js'
import { propertyBlock } from './properties.js'
import { bytes, packet, prefixed, uint16 } from './wire.js'

function decodePacket(whole: Uint8Array, version: Version = 5) {
  return decode(whole[0]!, whole.subarray(2), whole.length, version)
}

t.test('decodes what a broker may send', async (t) => {
  const properties = { contentType: 'x', userProperty: [['a', 'b']], subscriptionIdentifier: [1, 200] } as const
  const publish = decodePacket(packet(3, 0x0b, prefixed('a/b'), uint16(7), propertyBlock(properties), 'hello'))
  t.match(publish, { kind: 'publish', topic: 'a/b', text: 'hello', qos: 1, dup: true, retain: true, packetId: 7 })
  t.match(publish, { properties })
  t.match(decodePacket(packet(2, 0, [1, 0], propertyBlock({ receiveMaximum: 9 }))), {
    sessionPresent: true,
    reasonCode: 0,
    properties: { receiveMaximum: 9 },
  })
  t.match(decodePacket(packet(4, 0, uint16(1))), { kind: 'puback', packetId: 1, reasonCode: 0 })
  t.match(decodePacket(packet(6, 2, uint16(1), [0x92])), { kind: 'pubrel', reasonCode: 0x92 })
  t.match(decodePacket(packet(9, 0, uint16(1), [0], [2, 0x80])), { kind: 'suback', reasonCodes: [2, 0x80] })
  t.match(decodePacket(packet(9, 0, uint16(1), [2, 0x80]), 4), { kind: 'suback', reasonCodes: [2, 0x80] })
  t.match(decodePacket(packet(14, 0)), { kind: 'disconnect', reasonCode: 0 })
})

/** Packets that break a rule, and a part of the complaint. */
const WRONG: readonly (readonly [whole: Uint8Array, complaint: string, version?: Version])[] = [
  [packet(3, 0x06, prefixed('a'), uint16(1), [0]), 'QoS 3'],
  [packet(3, 0x08, prefixed('a'), [0]), 'DUP'],
  [packet(3, 0x00, prefixed('a/+'), [0]), 'wildcard'],
  [packet(3, 0x00, prefixed(''), [0]), 'neither'],
  [packet(3, 0x00, prefixed('a'), [2, 0x23, 0]), 'ends early'],
  [packet(3, 0x00, prefixed('a'), propertyBlock({ topicAlias: 0 })), 'topicAlias is 0'],
  [packet(3, 0x00, prefixed('a'), propertyBlock({ sessionExpiryInterval: 1 })), 'must not have'],
  [packet(3, 0x00, prefixed('a'), [4], [1, 0, 1, 0]), 'twice'],
  [packet(3, 0x00, prefixed('a'), [2], [1, 2]), 'payloadFormatIndicator is 2'],
  [packet(3, 0x00, prefixed('a'), [0x80, 0]), 'MQTT-1.5.5-1'],
  [packet(3, 0x00, prefixed([0xff]), [0]), 'MQTT-1.5.4-1'],
  [packet(3, 0x00, prefixed([0]), [0]), 'MQTT-1.5.4-2'],
  [packet(3, 0x02, prefixed('a'), uint16(0), [0]), 'identifier 0'],
  [packet(2, 0, [2, 0, 0]), 'MQTT-3.2.2-1'],
  [packet(2, 0, [1, 0x87, 0]), 'MQTT-3.2.2-6'],
  [packet(2, 0, [0, 0x05, 0]), '0x5'],
  [packet(2, 0, [1, 0]), 'MQTT-3.2.2-1', 3],
  [packet(4, 2, uint16(1)), 'MQTT-2.1.3-1'],
  [packet(4, 0, uint16(1), [0x92]), '0x92'],
  [packet(4, 0, uint16(1), [0]), '1 bytes too many', 4],
  [packet(6, 0, uint16(1)), 'MQTT-2.1.3-1'],
  [packet(9, 0, uint16(1), [0]), 'no reason code'],
  [packet(9, 0, uint16(1), [0x80]), '0x80', 3],
  [packet(11, 0, uint16(1), [0]), 'payload', 4],
  [packet(13, 0, [0]), 'too many'],
  [packet(14, 0), 'does not exist', 4],
  [packet(14, 0, [0x04]), '0x4'],
  [packet(14, 0, [0], propertyBlock({ sessionExpiryInterval: 1 })), 'must not have'],
  [packet(8, 2, uint16(1), [0]), 'packet type 8'],
]

t.test('objects to what a broker must not send', async (t) => {
  for (const [whole, complaint, version] of WRONG) {
    t.throws(() => decodePacket(bytes(whole), version), { name: 'ConductError', message: new RegExp(complaint) })
  }
})
