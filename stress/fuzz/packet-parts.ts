/** What mutations of packets share. */
import type { Random } from '../load/random.js'
import { bytes, varint } from '../support/wire.js'

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.integer(items.length)]!
}

export function randomBytes(random: Random, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => random.integer(256))
}

/** Where the body begins: after the first byte and at most four bytes of remaining length. */
export function bodyStart(packet: Uint8Array): number {
  let start = 1
  while (start < Math.min(4, packet.length - 1) && packet[start]! >= 0x80) start += 1
  return Math.min(start + 1, packet.length)
}

/** The packet with a remaining length that fits, so that a change inside gets past the framing. */
export function reframed(packet: Uint8Array): Uint8Array {
  const body = packet.subarray(bodyStart(packet))
  return bytes(packet.subarray(0, 1), varint(body.length), body)
}
