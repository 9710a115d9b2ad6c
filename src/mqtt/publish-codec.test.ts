import t from 'tap'
import { hashBytes } from '../base/bytes.js'
import type { ErrorCode } from '../base/errors.js'
import type { ProtocolVersion } from './packets.js'
import { PropertySet } from './properties.js'
import { PublishView, readPublish } from './publish-codec.js'
import { block, field, refusalOf } from './wire.fixture.js'

/** Reads a body that stands between other bytes, so that offsets are not zero and no byte outside is looked at. */
function read(firstByte: number, version: ProtocolVersion, ...parts: (readonly number[])[]): PublishView {
  const body = parts.flat()
  const view = new PublishView()
  readPublish(Uint8Array.from([7, 7, ...body, 0x61, 0x61]), firstByte, 2, 2 + body.length, version, view)
  return view
}

t.test('QoS 0 before MQTT 5', async (t) => {
  t.match(
    { ...read(0x31, 4, field('a/b'), [1, 2]) },
    {
      qos: 0,
      dup: 0,
      retain: 1,
      packetId: 0,
      topicStart: 4,
      topicLength: 3,
      topicHash: hashBytes(Buffer.from('a/b'), 0, 3),
      topicLevels: 2,
      propertiesLength: 0,
      topicAlias: 0,
      topicAliasStart: -1,
      expirySeconds: -1,
      expiryStart: -1,
      payloadStart: 7,
      payloadLength: 2,
    },
  )
})

t.test('QoS 2 with properties', async (t) => {
  const properties = block([2, 0xff, 0xff, 0xff, 0xfe], [38, ...field('k'), ...field('v')], [35, 0x12, 0x34])
  t.match(
    { ...read(0x3c, 5, field('é'), [0xab, 0xcd], properties, []) },
    {
      qos: 2,
      dup: 1,
      retain: 0,
      packetId: 0xabcd,
      topicStart: 4,
      topicLength: 2,
      topicLevels: 1,
      propertiesStart: 9,
      propertiesLength: 15,
      topicAlias: 0x1234,
      topicAliasStart: 21,
      expirySeconds: 0xffff_fffe,
      expiryStart: 10,
      payloadStart: 24,
      payloadLength: 0,
    },
  )
})

t.test('every field is set again by the next packet', async (t) => {
  const properties = block([2, 0, 0, 0, 1], [35, 0, 9])
  const view = read(0x3d, 5, field('a/b/c'), [0, 1], properties, [1])
  const next = Uint8Array.from([...field(''), 3, 35, 0, 1])
  readPublish(next, 0x30, 0, next.length, 5, view)
  const fresh = new PublishView()
  readPublish(next, 0x30, 0, next.length, 5, fresh)
  t.same({ ...view }, { ...fresh })
  t.equal(view.topicLength, 0, 'a topic alias stands for the name')
})

t.test('subscription identifiers come from a server only, and may be several', async (t) => {
  const bytes = Uint8Array.from([...field('a'), ...block([11, 1], [11, 2])])
  const view = new PublishView()
  const readFrom = (allowed: number) => readPublish(bytes, 0x30, 0, bytes.length, 5, view, allowed)
  t.equal(
    refusalOf(() => readFrom(PropertySet.PUBLISH_FROM_SERVER)),
    undefined,
  )
  t.equal(
    refusalOf(() => readFrom(PropertySet.PUBLISH_FROM_CLIENT)),
    'PROTOCOL_ERROR',
    'MQTT-3.3.4-6',
  )
})

type Case = readonly [
  what: string,
  firstByte: number,
  version: ProtocolVersion,
  body: readonly number[],
  code: ErrorCode,
]

const REFUSED: readonly Case[] = [
  ['QoS 3: MQTT-3.3.1-4', 0x36, 5, [...field('a'), 0, 1, 0], 'MALFORMED_PACKET'],
  ['DUP with QoS 0: MQTT-3.3.1-2', 0x38, 5, [...field('a'), 0], 'MALFORMED_PACKET'],
  ['no body: MQTT-3.3.2-1', 0x30, 4, [], 'MALFORMED_PACKET'],
  ['one byte of the topic length', 0x30, 4, [0], 'MALFORMED_PACKET'],
  ['topic cut off', 0x30, 4, [0, 3, 0x61, 0x62], 'MALFORMED_PACKET'],
  ['no packet identifier', 0x32, 4, field('a'), 'MALFORMED_PACKET'],
  ['half a packet identifier', 0x32, 4, [...field('a'), 0], 'MALFORMED_PACKET'],
  ['packet identifier 0: MQTT-2.2.1-3', 0x32, 4, [...field('a'), 0, 0], 'PROTOCOL_ERROR'],
  ['+ in the topic: MQTT-3.3.2-2', 0x30, 4, field('a/+'), 'TOPIC_NAME_INVALID'],
  ['# in the topic: MQTT-3.3.2-2', 0x30, 4, field('a#b'), 'TOPIC_NAME_INVALID'],
  ['# after non-ASCII', 0x30, 4, field('é/#'), 'TOPIC_NAME_INVALID'],
  ['U+0000 in the topic: MQTT-4.7.3-2', 0x30, 4, field('a\0'), 'MALFORMED_PACKET'],
  ['a surrogate in the topic: MQTT-1.5.4-1', 0x30, 4, field([0xed, 0xa0, 0x80]), 'MALFORMED_PACKET'],
  ['an overlong topic', 0x30, 4, field([0x61, 0xc1, 0xa1]), 'MALFORMED_PACKET'],
  ['a topic cut inside a character', 0x30, 4, field([0x61, 0xc3]), 'MALFORMED_PACKET'],
  ['empty topic before MQTT 5: MQTT-4.7.3-1', 0x30, 4, field(''), 'PROTOCOL_ERROR'],
  ['empty topic in MQTT 3.1', 0x30, 3, field(''), 'PROTOCOL_ERROR'],
  ['empty topic without alias', 0x30, 5, [...field(''), 0], 'PROTOCOL_ERROR'],
  ['no property length: MQTT-2.2.2-1', 0x30, 5, field('a'), 'MALFORMED_PACKET'],
  ['property length cut off', 0x30, 5, [...field('a'), 0x80], 'MALFORMED_PACKET'],
  ['property length not minimal: MQTT-1.5.5-1', 0x30, 5, [...field('a'), 0x80, 0x00], 'MALFORMED_PACKET'],
  ['property length beyond the packet', 0x30, 5, [...field('a'), 3, 1, 1], 'MALFORMED_PACKET'],
  ['property beyond the property length', 0x30, 5, [...field('a'), 2, 2, 0, 0, 0, 1], 'MALFORMED_PACKET'],
  ['topic alias 0: MQTT-3.3.2-8', 0x30, 5, [...field('a'), 3, 35, 0, 0], 'TOPIC_ALIAS_INVALID'],
  ['payload format 7', 0x30, 5, [...field('a'), 2, 1, 7], 'PROTOCOL_ERROR'],
  ['payload format twice', 0x30, 5, [...field('a'), 4, 1, 1, 1, 1], 'PROTOCOL_ERROR'],
  ['a property of CONNECT', 0x30, 5, [...field('a'), 3, 33, 0, 1], 'MALFORMED_PACKET'],
  ['a will delay', 0x30, 5, [...field('a'), 5, 24, 0, 0, 0, 1], 'MALFORMED_PACKET'],
  ['response topic with wildcard: MQTT-3.3.2-14', 0x30, 5, [...field('a'), 4, 8, ...field('#')], 'PROTOCOL_ERROR'],
  ['empty response topic', 0x30, 5, [...field('a'), 3, 8, ...field('')], 'PROTOCOL_ERROR'],
  ['content type no UTF-8: MQTT-3.3.2-19', 0x30, 5, [...field('a'), 4, 3, ...field([0xff])], 'MALFORMED_PACKET'],
]

t.test('what is refused', async (t) => {
  for (const [what, firstByte, version, body, code] of REFUSED) {
    t.equal(
      refusalOf(() => read(firstByte, version, body)),
      code,
      what,
    )
  }
})

t.test('accepted although unusual', async (t) => {
  t.equal(read(0x30, 5, field('$SYS/x'), [0]).topicLevels, 2, 'the session decides about $ topics')
  t.equal(read(0x30, 4, field('/')).topicLevels, 2)
  t.equal(read(0x30, 4, field('\ufeff')).topicLength, 3, 'MQTT-1.5.4-3')
  t.equal(read(0x30, 5, field('a'), block([1, 1]), [0xff]).payloadLength, 1, 'the payload is not checked for UTF-8')
  t.equal(read(0x30, 4, field('/'.repeat(65_535))).topicLevels, 65_536)
})
