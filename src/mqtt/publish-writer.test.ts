import t from 'tap'
import {
  encodePublish,
  publishBytes,
  publishFirstByte,
  publishRemainingLength,
  TOPIC_ALIAS_BYTES,
  writePublishHead,
  writeTopicAlias,
  writeUint16,
  writeUint32,
} from './publish-writer.js'
import { varintBytes, writeVarint } from './varint.js'

t.test('sizes', async (t) => {
  t.equal(publishBytes(4, 3, 0, 0, 10), 2 + 2 + 3 + 10)
  t.equal(publishBytes(4, 3, 1, 0, 10), 2 + 2 + 3 + 2 + 10)
  t.equal(publishBytes(5, 3, 1, 0, 10), 2 + 2 + 3 + 2 + 1 + 10)
  t.equal(publishBytes(5, 3, 2, 128, 0), 3 + 2 + 3 + 2 + 2 + 128, 'two bytes each of remaining and property length')
  t.equal(publishRemainingLength(5, 3, 2, 128, 0), 2 + 3 + 2 + 2 + 128)
})

t.test('first bytes', async (t) => {
  t.equal(publishFirstByte(0, 0, 0), 0x30)
  t.equal(publishFirstByte(1, 1, 1), 0x3b)
  t.equal(publishFirstByte(2, 0, 1), 0x35)
})

t.test('a packet from parts, for topics copied either way', async (t) => {
  for (const topic of ['a/b', 'é'.repeat(100)]) {
    const source = Buffer.from(`xx${topic}yy`)
    const topicLength = source.length - 4
    const properties = Buffer.of(1, 1)
    const payload = Buffer.from('payload')
    const propertiesLength = TOPIC_ALIAS_BYTES + properties.length
    const remaining = publishRemainingLength(5, topicLength, 1, propertiesLength, payload.length)
    const target = new Uint8Array(3 + publishBytes(5, topicLength, 1, propertiesLength, payload.length))
    let offset = writePublishHead(target, 3, 0x33, remaining, source, 2, topicLength, 0x1234)
    offset = writeVarint(target, offset, propertiesLength)
    offset = writeTopicAlias(target, offset, 0x0102)
    target.set(properties, offset)
    target.set(payload, offset + properties.length)
    t.equal(offset + properties.length + payload.length, target.length)
    const whole = encodePublish({
      version: 5,
      topic,
      payload,
      qos: 1,
      retain: true,
      packetId: 0x1234,
      properties: Uint8Array.of(35, 1, 2, 1, 1),
    })
    t.same(target.subarray(3), whole)
    t.equal(varintBytes(remaining), topic.length > 3 ? 2 : 1)
  }
})

t.test('MQTT-2.2.1-2: no packet identifier with QoS 0', async (t) => {
  const packet = encodePublish({ version: 4, topic: 'a', payload: new Uint8Array(0), qos: 0, packetId: 5 })
  t.same([...packet], [0x30, 3, 0, 1, 0x61])
})

t.test('integers are big endian', async (t) => {
  const bytes = new Uint8Array(6)
  t.equal(writeUint32(bytes, writeUint16(bytes, 0, 0xfffe), 0xfedc_ba98), 6)
  t.same([...bytes], [0xff, 0xfe, 0xfe, 0xdc, 0xba, 0x98])
})
