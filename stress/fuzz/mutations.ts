/** Ways to make a wrong packet from a right one. All are pure: the same random numbers give the same bytes. */
import type { Random } from '../load/random.js'
import { bytes, uint16, varint } from '../support/wire.js'
import { bodyStart, pick, randomBytes, reframed } from './packet-parts.js'
import { insertProperty } from './property-mutation.js'

/** @param others packets to take parts from; never empty */
export type Mutation = (packet: Uint8Array, random: Random, others: readonly Uint8Array[]) => Uint8Array

/** Values at the edges of every length and flag. */
const EDGES = [0x00, 0x01, 0x02, 0x0f, 0x10, 0x7f, 0x80, 0xc0, 0xed, 0xef, 0xfe, 0xff]
const LENGTH_EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff]
const REMAINING_EDGES = [0, 1, 2, 126, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455]
const INSERTED_BYTES_MAX = 40

/** @returns start and end of a part, possibly empty */
function part(packet: Uint8Array, random: Random): readonly [start: number, end: number] {
  const [one, other] = [random.integer(packet.length + 1), random.integer(packet.length + 1)]
  return one < other ? [one, other] : [other, one]
}

function replaced(packet: Uint8Array, start: number, end: number, ...middle: readonly Uint8Array[]): Uint8Array {
  return bytes(packet.subarray(0, start), ...middle, packet.subarray(end))
}

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  flipBit(packet, random) {
    const copy = Uint8Array.from(packet)
    const at = random.integer(copy.length)
    copy[at] = copy[at]! ^ (1 << random.integer(8))
    return copy
  },
  setByte(packet, random) {
    const copy = Uint8Array.from(packet)
    copy[random.integer(copy.length)] = pick(random, EDGES)
    return copy
  },
  setSeveralBytes(packet, random) {
    const copy = Uint8Array.from(packet)
    for (let count = 1 + random.integer(6); count > 0; count--) copy[random.integer(copy.length)] = random.integer(256)
    return copy
  },
  truncate: (packet, random) => packet.subarray(0, random.integer(packet.length)),
  truncateBody: (packet, random) => {
    const start = bodyStart(packet)
    return reframed(packet.subarray(0, start + random.integer(packet.length - start + 1)))
  },
  append: (packet, random) => bytes(packet, randomBytes(random, 1 + random.integer(INSERTED_BYTES_MAX))),
  appendToBody: (packet, random) =>
    reframed(bytes(packet, randomBytes(random, 1 + random.integer(INSERTED_BYTES_MAX)))),
  insertBytes(packet, random) {
    const at = bodyStart(packet) + random.integer(packet.length - bodyStart(packet) + 1)
    return reframed(replaced(packet, at, at, randomBytes(random, 1 + random.integer(INSERTED_BYTES_MAX))))
  },
  removePart(packet, random) {
    const [start, end] = part(packet, random)
    return replaced(packet, start, end)
  },
  removePartOfBody(packet, random) {
    const [start, end] = part(packet, random)
    const first = Math.max(start, bodyStart(packet))
    return reframed(replaced(packet, first, Math.max(first, end)))
  },
  repeatPart(packet, random) {
    const [start, end] = part(packet, random)
    const first = Math.max(start, bodyStart(packet))
    const repeated = packet.subarray(first, Math.max(first, end))
    return reframed(replaced(packet, first, first, repeated))
  },
  swapParts(packet, random) {
    const [start, end] = part(packet, random)
    const middle = start + random.integer(end - start + 1)
    return replaced(packet, start, end, packet.subarray(middle, end), packet.subarray(start, middle))
  },
  changeType(packet, random) {
    const copy = Uint8Array.from(packet)
    copy[0] = (random.integer(16) << 4) | (copy[0]! & 0x0f)
    return copy
  },
  changeFlags(packet, random) {
    const copy = Uint8Array.from(packet)
    copy[0] = (copy[0]! & 0xf0) | random.integer(16)
    return copy
  },
  changeRemainingLength(packet, random) {
    const start = bodyStart(packet)
    const near = packet.length - start + random.integer(9) - 4
    const length = random.integer(2) === 0 ? Math.max(0, near) : pick(random, REMAINING_EDGES)
    return replaced(packet, 1, start, varint(length))
  },
  padRemainingLength(packet, random) {
    const start = bodyStart(packet)
    return replaced(packet, 1, start, varint(packet.length - start, 2 + random.integer(5)))
  },
  /** Anywhere: most packets begin with a length of two bytes, and properties are full of them. */
  changeInnerLength(packet, random) {
    const start = bodyStart(packet)
    if (packet.length - start < 2) return packet
    const at = start + random.integer(packet.length - start - 1)
    const near = packet[at]! * 256 + packet[at + 1]! + random.integer(5) - 2
    const length = random.integer(2) === 0 ? Math.max(0, Math.min(0xffff, near)) : pick(random, LENGTH_EDGES)
    return replaced(packet, at, at + 2, uint16(length))
  },
  splice(packet, random, others) {
    const other = pick(random, others)
    return reframed(bytes(packet.subarray(0, part(packet, random)[1]), other.subarray(part(other, random)[0])))
  },
  insertOther(packet, random, others) {
    const at = random.integer(packet.length + 1)
    return replaced(packet, at, at, pick(random, others))
  },
  insertProperty,
  insertProperties: (packet, random) => insertProperty(insertProperty(packet, random), random),
  replaceByNoise: (_packet, random) => randomBytes(random, 1 + random.integer(64)),
}

const NAMES = Object.keys(MUTATIONS)

/** One change, or now and then several. */
export function mutate(packet: Uint8Array, random: Random, others: readonly Uint8Array[]): Uint8Array {
  let changed = packet
  const count = random.integer(4) === 0 ? 2 + random.integer(3) : 1
  for (let round = 0; round < count && changed.length > 0; round++) {
    changed = MUTATIONS[pick(random, NAMES)]!(changed, random, others)
  }
  return changed
}
