import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { hashBytes } from '../base/bytes.js'
import { FrameView, readFrame } from './frame.js'
import {
  asBuffer,
  asLibraryUserProperties,
  generateWithLibrary,
  type LibraryPublish,
  parseWithLibrary,
} from './packet-library.js'
import * as arbitrary from './packets.arbitraries.js'
import type { ProtocolVersion } from './packets.js'
import { PropertySet } from './properties.js'
import { PublishView, readPublish } from './publish-codec.js'
import { decodePublishProperties, encodePublishProperties, type PublishProperties } from './publish-properties.js'
import { encodePublish, type PublishParts, publishBytes } from './publish-writer.js'
import { refusalOf } from './wire.fixture.js'

interface Message extends PublishParts {
  readonly topic: string
  readonly dup: boolean
  readonly retain: boolean
  readonly packetId: number
  readonly properties: Uint8Array
  readonly values: PublishProperties
}

const message: fc.Arbitrary<Message> = fc
  .record({
    version: arbitrary.version,
    topic: arbitrary.topicName,
    payload: arbitrary.payload,
    qos: arbitrary.qos,
    dup: fc.boolean(),
    retain: fc.boolean(),
    packetId: arbitrary.packetId,
    values: arbitrary.publishProperties,
  })
  .map((parts) => ({
    ...parts,
    dup: parts.dup && parts.qos > 0,
    values: parts.version === 5 ? parts.values : {},
    properties: encodePublishProperties(parts.version === 5 ? parts.values : {}),
  }))

function read(packet: Uint8Array, version: ProtocolVersion): PublishView {
  const frame = new FrameView()
  readFrame(packet, 0, packet.length, frame)
  const view = new PublishView()
  readPublish(packet, packet[0], frame.bodyStart, packet.length, version, view)
  return view
}

function sameBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.ok(Buffer.compare(actual, expected) === 0, `${[...actual]} is not ${[...expected]}`)
}

t.test('what we write we read', async () => {
  fc.assert(
    fc.property(message, (message) => {
      const { version, qos, topic, payload, properties } = message
      const packet = encodePublish(message)
      const view = read(packet, version)
      const topicBytes = Buffer.from(topic)
      assert.equal(packet.length, publishBytes(version, topicBytes.length, qos, properties.length, payload.length))
      sameBytes(packet.subarray(view.topicStart, view.topicStart + view.topicLength), topicBytes)
      assert.equal(view.topicHash, hashBytes(topicBytes, 0, topicBytes.length))
      assert.equal(view.topicLevels, topic.split('/').length)
      sameBytes(packet.subarray(view.propertiesStart, view.propertiesStart + view.propertiesLength), properties)
      sameBytes(packet.subarray(view.payloadStart, view.payloadStart + view.payloadLength), payload)
      assert.equal(view.expirySeconds, message.values.expirySeconds ?? -1)
      assert.deepEqual([view.qos, view.dup, view.retain], [qos, Number(message.dup), Number(message.retain)])
      assert.equal(view.packetId, qos === 0 ? 0 : message.packetId)
    }),
  )
})

t.test('mqtt-packet reads what we write', async () => {
  fc.assert(
    fc.property(message, (message) => {
      const { version, values } = message
      const parsed = parseWithLibrary(asBuffer(encodePublish(message)), version) as LibraryPublish
      assert.equal(parsed.topic, message.topic)
      sameBytes(parsed.payload as Buffer, message.payload)
      assert.deepEqual([parsed.qos, parsed.dup, parsed.retain], [message.qos, message.dup, message.retain])
      if (message.qos > 0) assert.equal(parsed.messageId, message.packetId)
      assert.equal(parsed.properties?.messageExpiryInterval, values.expirySeconds)
      assert.equal(parsed.properties?.contentType, values.contentType)
      assert.equal(parsed.properties?.responseTopic, values.responseTopic)
      const { correlationData } = values
      assert.deepEqual(parsed.properties?.correlationData, correlationData && Buffer.from(correlationData))
    }),
  )
})

t.test('we read what mqtt-packet writes, byte for byte as we write it', async () => {
  fc.assert(
    fc.property(message, (message) => {
      const { version, values } = message
      const generated = generateWithLibrary(
        {
          cmd: 'publish',
          topic: message.topic,
          payload: asBuffer(message.payload),
          qos: message.qos,
          dup: message.dup,
          retain: message.retain,
          messageId: message.packetId,
          properties: {
            payloadFormatIndicator: values.payloadFormat === undefined ? undefined : values.payloadFormat === 1,
            messageExpiryInterval: values.expirySeconds,
            contentType: values.contentType,
            responseTopic: values.responseTopic,
            correlationData: values.correlationData && asBuffer(values.correlationData),
            ...asLibraryUserProperties(values.userProperties ?? []),
          },
        },
        version,
      )
      sameBytes(encodePublish(message), generated)
      const view = read(generated, version)
      const decoded = decodePublishProperties(
        generated,
        view.propertiesStart,
        view.propertiesStart + view.propertiesLength,
      )
      assert.deepEqual(decoded, { userProperties: [], ...values, subscriptionIdentifiers: [] })
    }),
  )
})

t.test('any bytes are read or refused, and nothing outside them is looked at', async () => {
  const view = new PublishView()
  const body = message.map((message) => {
    const packet = encodePublish(message)
    const frame = new FrameView()
    readFrame(packet, 0, packet.length, frame)
    return packet.slice(frame.bodyStart)
  })
  const flags = fc.integer({ min: 0x30, max: 0x3f })
  fc.assert(
    fc.property(arbitrary.damaged(body), flags, arbitrary.version, (body, firstByte, version) => {
      const surrounded = Buffer.concat([Buffer.of(0, 0), body, Buffer.from('aaaa')])
      const inside = refusalOf(() => readPublish(surrounded, firstByte, 2, 2 + body.length, version, view))
      const alone = refusalOf(() => {
        readPublish(body, firstByte, 0, body.length, version, view, PropertySet.PUBLISH_FROM_CLIENT)
        const end = view.payloadStart + view.payloadLength
        if (end !== body.length || view.topicStart + view.topicLength > end) throw new Error('parts outside the packet')
      })
      assert.equal(inside, alone)
    }),
    { numRuns: 2_000 },
  )
})
