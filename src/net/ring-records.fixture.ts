/** What a connection thread has told a shard, as short texts: one for each packet or record. */
import { decodeText, hashBytes } from '../base/bytes.js'
import type { RingConsumer, RingProducer } from '../base/ring.js'
import {
  ACK_DESCRIPTOR_INTS,
  CONTROL_DESCRIPTOR_INTS,
  Descriptor,
  InboundKind,
  KIND,
  PACKETS_BODY,
  PACKETS_DESCRIPTOR_INTS,
  PACKETS_HEADER_INTS,
  PUBLISH_DESCRIPTOR_INTS,
  SLOT,
} from '../contracts/records.js'

/**
 * For example `0 publish a/b=text q1 #7 dup retain expires 5 01ff` (properties in hexadecimal), `0 ack 4 #7 0x10`,
 * `0 control 8 8203…`, `0 connect {json}`, `0 closed 2`, `0 flow 1`, `0 claims {json}`, `0 mark reached`; the slot comes first.
 */
export function takeRecords(producer: RingProducer, consumer: RingConsumer): string[] {
  const found: string[] = []
  for (producer.publish(); !consumer.isEmpty; producer.publish()) {
    consumer.drain((bytes, ints, at) => found.push(...textsOf(bytes, ints, at)), Number.POSITIVE_INFINITY)
  }
  return found
}

function textsOf(bytes: Uint8Array, ints: Int32Array, at: number): string[] {
  const i = at >> 2
  const slot = ints[i + SLOT]
  switch (ints[i + KIND]) {
    case InboundKind.PACKETS:
      return packetTexts(bytes, ints, at).map((text) => `${slot} ${text}`)
    case InboundKind.CONNECT:
      return [`${slot} connect ${decodeText(bytes, at + 16, ints[i + 3])}`]
    case InboundKind.CLOSED:
      return [`${slot} closed ${ints[i + 3]}`]
    case InboundKind.FLOW:
      return [`${slot} flow ${ints[i + 3]}`]
    case InboundKind.CLAIMS:
      return [`${slot} claims ${decodeText(bytes, at + 16, ints[i + 3])}`]
    default:
      return [`${slot} mark reached`]
  }
}

function packetTexts(bytes: Uint8Array, ints: Int32Array, at: number): string[] {
  const i = at >> 2
  const base = at + ints[i + PACKETS_BODY]
  const end = i + PACKETS_HEADER_INTS + ints[i + PACKETS_DESCRIPTOR_INTS]
  const texts: string[] = []
  for (let d = i + PACKETS_HEADER_INTS; d < end; ) {
    switch (ints[d] & 0xff) {
      case Descriptor.PUBLISH:
        texts.push(publishText(bytes, ints, d, base))
        d += PUBLISH_DESCRIPTOR_INTS
        break
      case Descriptor.ACK:
        texts.push(`ack ${ints[d] >> 8} #${ints[d + 1] & 0xffff} 0x${(ints[d + 1] >>> 16).toString(16)}`)
        d += ACK_DESCRIPTOR_INTS
        break
      default: {
        const start = base + ints[d + 1]
        texts.push(`control ${ints[d] >> 8} ${Buffer.from(bytes.slice(start, start + ints[d + 2])).toString('hex')}`)
        d += CONTROL_DESCRIPTOR_INTS
      }
    }
  }
  return texts
}

function publishText(bytes: Uint8Array, ints: Int32Array, d: number, base: number): string {
  const part = (place: number): Uint8Array =>
    bytes.slice(base + ints[d + place], base + ints[d + place] + ints[d + place + 1])
  const topic = part(2)
  const [properties, payload] = [part(5), part(7)]
  if (ints[d + 4] !== hashBytes(topic, 0, topic.length)) throw new Error('the hash is wrong')
  const contiguous = ints[d + 2] + ints[d + 3] <= ints[d + 5] && ints[d + 5] + ints[d + 6] === ints[d + 7]
  if (!contiguous) throw new Error('the parts are not in the order of the wire')
  const head = ints[d]
  const flags = `${head & 0x800 ? ' dup' : ''}${head & 0x400 ? ' retain' : ''}`
  const expires = head & 0x1000 ? ` expires ${ints[d + 9] >>> 0}` : ''
  const message = `${decodeText(topic, 0, topic.length)}=${decodeText(payload, 0, payload.length)}`
  const text = `publish ${message} q${(head >> 8) & 3} #${ints[d + 1]}${flags}${expires}`
  return properties.length === 0 ? text : `${text} ${Buffer.from(properties).toString('hex')}`
}
