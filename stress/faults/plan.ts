import { type Random, seededRandom } from '../load/random.js'

export const KIND_NAMES = [
  'process',
  'restart',
  'shard',
  'connection',
  'storage',
  'successor',
  'pause',
  'full',
  'torn',
  'power',
] as const
export type KindName = (typeof KIND_NAMES)[number]

/** One fault of a run. */
export interface PlannedFault {
  readonly kind: KindName
  /** Milliseconds of load before it, from the moment the broker was up again. */
  readonly delayMs: number
  /** For what the fault itself chooses. */
  readonly seed: number
}

export interface PlanOptions {
  readonly kills: number
  readonly seed: number
  readonly kinds: readonly KindName[]
  readonly delayMsMin: number
  readonly delayMsMax: number
}

/** How often a kind occurs beside the others. Killing the process is what the contract is about. */
const WEIGHTS: Readonly<Record<KindName, number>> = {
  process: 8,
  power: 4,
  shard: 2,
  connection: 2,
  storage: 3,
  successor: 2,
  restart: 1,
  pause: 1,
  torn: 1,
  full: 1,
}

/**
 * All faults of a run, the same for the same options. Each kind occurs when there are enough faults for all. Those with a
 * full disk come last, because the data folder moves to a small file system for them.
 */
export function planFaults({ kills, seed, kinds, delayMsMin, delayMsMax }: PlanOptions): PlannedFault[] {
  const random = seededRandom(seed)
  const names = Array.from({ length: kills }, (_, nth) => (nth < kinds.length ? kinds[nth] : draw(kinds, random)))
  shuffle(names, random)
  const ordered = [...names.filter((kind) => kind !== 'full'), ...names.filter((kind) => kind === 'full')]
  return ordered.map((kind) => ({
    kind,
    delayMs: delayMsMin + random.integer(delayMsMax - delayMsMin + 1),
    seed: random.integer(2 ** 31),
  }))
}

function draw(kinds: readonly KindName[], random: Random): KindName {
  let left = random.next() * kinds.reduce((sum, kind) => sum + WEIGHTS[kind], 0)
  for (const kind of kinds) {
    left -= WEIGHTS[kind]
    if (left < 0) return kind
  }
  return kinds[kinds.length - 1]
}

function shuffle<T>(items: T[], random: Random): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = random.integer(last + 1)
    const item = items[last]
    items[last] = items[other]
    items[other] = item
  }
}
