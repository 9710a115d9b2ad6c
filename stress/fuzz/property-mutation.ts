/** Properties put into a packet where properties belong, so that everything around them stays right. */
import type { Random } from '../load/random.js'
import { PROPERTY_FORMS, type PropertyName, property } from '../support/properties.js'
import { bytes, varint } from '../support/wire.js'
import { bodyStart, pick, randomBytes } from './packet-parts.js'

const NAMES = Object.keys(PROPERTY_FORMS) as PropertyName[]
const NUMBERS = [0, 1, 2, 255, 256, 65_535, 65_536, 0xffff_ffff]
const TEXTS = ['', 'text', 'fuzz/a', '#', 'a\0b', '\ud7ff', 'ä/水/🌊', 'x'.repeat(300)]

/** Types of packets that have properties, with the bytes between body and property length; PUBLISH varies. */
const BYTES_BEFORE: Readonly<Record<number, number>> = { 1: 10, 4: 3, 5: 3, 6: 3, 7: 3, 8: 2, 10: 2, 14: 1, 15: 1 }

/** One more property of any kind, which may be forbidden in this packet, there already, or out of its range. */
export function insertProperty(packet: Uint8Array, random: Random): Uint8Array {
  const start = bodyStart(packet)
  const at = start + bytesBefore(packet, start)
  if (at >= packet.length) return packet
  const length = packet[at]!
  const end = Math.min(packet.length, at + 1 + length)
  const properties = bytes(packet.subarray(at + 1, end), randomProperty(random))
  const body = bytes(packet.subarray(start, at), varint(properties.length), properties, packet.subarray(end))
  return bytes(packet.subarray(0, 1), varint(body.length), body)
}

function bytesBefore(packet: Uint8Array, start: number): number {
  const type = packet[0]! >> 4
  if (type !== 3) return BYTES_BEFORE[type] ?? packet.length
  const topicBytes = (packet[start] ?? 0) * 256 + (packet[start + 1] ?? 0)
  return 2 + topicBytes + ((packet[0]! & 0x06) === 0 ? 0 : 2)
}

function randomProperty(random: Random): Uint8Array {
  const name = pick(random, NAMES)
  const text = () => pick(random, TEXTS)
  const number = pick(random, NUMBERS)
  switch (PROPERTY_FORMS[name][1]) {
    case 'pair':
      return property(name, [text(), text()])
    case 'text':
      return property(name, text())
    case 'binary':
      return property(name, randomBytes(random, random.integer(20)))
    case 'varint':
      return property(name, number % 268_435_456)
    case 'byte':
      return property(name, number % 256)
    case 'uint16':
      return property(name, number % 65_536)
    case 'uint32':
      return property(name, number)
  }
}
