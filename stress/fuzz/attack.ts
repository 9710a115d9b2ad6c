/** What one hostile connection sends, made from a seed and the number of the attack alone. */
import { type Random, seededRandom } from '../load/random.js'
import type { Corpus } from './corpus.js'
import { mutate } from './mutations.js'
import { pick, randomBytes } from './packet-parts.js'

export interface Attack {
  /** In the order of sending; each is a write (and a frame, over WebSocket) of its own. */
  readonly chunks: readonly Uint8Array[]
  /** Whether the connection is lost at once instead of being closed after everything was sent. */
  readonly abrupt: boolean
}

const VERSIONS = [3, 4, 5, 5] as const
const PACKETS_MAX = 12
const CHUNKS_MAX = 200
/** Spreads numbers of attacks over the seeds of the generator. */
const STRIDE = 0x9e37_79b1

export function attackOf(seed: number, number: number, corpus: Corpus): Attack {
  const random = seededRandom((seed ^ Math.imul(number + 1, STRIDE)) >>> 0)
  const stream = Buffer.concat(packetsOf(random, corpus))
  return { chunks: cut(random, stream), abrupt: random.integer(8) === 0 }
}

function packetsOf(random: Random, { valid, wrong }: Corpus): readonly Uint8Array[] {
  const ofVersion = valid[pick(random, VERSIONS)]
  const isConnect = ({ name }: { readonly name: string }) => name.startsWith('connect')
  const connects = ofVersion.filter(isConnect).map(({ packet }) => packet)
  const others = ofVersion.filter((each) => !isConnect(each)).map(({ packet }) => packet)
  const everything = [...connects, ...others, ...wrong.map(({ packet }) => packet)]

  const packets: Uint8Array[] = []
  const opening = random.integer(20)
  if (opening < 14) packets.push(pick(random, connects))
  else if (opening < 19) packets.push(mutate(pick(random, connects), random, everything))
  for (let count = random.integer(PACKETS_MAX); count >= 0; count--) {
    const kind = random.integer(20)
    if (kind < 8) packets.push(pick(random, others))
    else if (kind < 18) packets.push(mutate(pick(random, everything), random, everything))
    else if (kind < 19) packets.push(pick(random, wrong).packet)
    else packets.push(randomBytes(random, random.integer(100)))
  }
  return packets
}

/** All at once, byte by byte, or anywhere. */
function cut(random: Random, stream: Uint8Array): readonly Uint8Array[] {
  const way = random.integer(4)
  if (way === 0) return [stream]
  const sizeMax = way === 1 ? 1 : way === 2 ? 8 : Math.max(1, stream.length)
  const chunks: Uint8Array[] = []
  let start = 0
  while (start < stream.length && chunks.length < CHUNKS_MAX) {
    const size = 1 + random.integer(sizeMax)
    chunks.push(stream.subarray(start, start + size))
    start += size
  }
  if (start < stream.length) chunks.push(stream.subarray(start))
  return chunks
}
