import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  APPEND_HEADER_INTS,
  APPEND_TOGETHER,
  highInt,
  lowInt,
  SHARDS_MAX,
  STORE_NUMBER,
  StoreKind,
  TOGETHER_INTS,
  TOGETHER_NUMBER,
  TOGETHER_PARTS,
} from '../src/contracts/store-records.js'
import { ShardLines } from './shard-lines.js'

const KIND = 1

/** What a shard writes: something of its own, its part of a group, or how many parts there are. */
type Step = { readonly kind: 'own' } | { readonly kind: 'part'; readonly group: number } | Said
interface Said {
  readonly kind: 'said'
  readonly group: number
  readonly parts: number
}

const own: Step = { kind: 'own' }
const part = (group: number): Step => ({ kind: 'part', group })
const said = (group: number, parts: number): Step => ({ kind: 'said', group, parts })

/** Lines of shards and what has become of the records in them, which are named by shard and number. */
class Lines {
  readonly lines: ShardLines
  taken: string[] = []
  readonly #written: number[]

  constructor(shards: number) {
    this.#written = Array.from({ length: shards }, () => 0)
    this.lines = new ShardLines(shards, (shard, _bytes, ints, at) => {
      this.taken.push(`${shard}.${ints[(at >> 2) + STORE_NUMBER]}`)
    })
  }

  /** Writes the record somewhere in memory that is used again at once. @returns its name */
  add(shard: number, step: Step): string {
    const number = ++this.#written[shard]
    const at = 8
    const length = (step.kind === 'said' ? TOGETHER_INTS : APPEND_HEADER_INTS) * 4
    const bytes = new Uint8Array(at + length)
    const ints = new Int32Array(bytes.buffer)
    const i = at >> 2
    ints[i] = length
    ints[i + STORE_NUMBER] = number
    if (step.kind === 'said') {
      ints[i + KIND] = StoreKind.TOGETHER
      ints[i + TOGETHER_PARTS] = step.parts
      ints[i + TOGETHER_NUMBER] = lowInt(step.group)
      ints[i + TOGETHER_NUMBER + 1] = highInt(step.group)
    } else {
      ints[i + KIND] = step.kind === 'part' || number % 2 === 0 ? StoreKind.APPEND : StoreKind.DONE
      if (step.kind === 'part') {
        ints[i + APPEND_TOGETHER] = lowInt(step.group)
        ints[i + APPEND_TOGETHER + 1] = highInt(step.group)
      }
    }
    this.lines.add(shard, bytes, ints, at)
    bytes.fill(0)
    return `${shard}.${number}`
  }

  /** @returns what this has let through */
  advance(): string[] {
    this.taken = []
    this.lines.advance()
    return this.taken
  }
}

t.test('what belongs to nothing goes on at once, and behind what waits when its turn comes', async (t) => {
  const lines = new Lines(2)
  lines.add(0, own)
  lines.add(0, own)
  t.same(lines.taken, ['0.1', '0.2'])
  lines.add(0, part(SHARDS_MAX))
  lines.add(0, own)
  lines.add(1, own)
  t.same(lines.advance(), [], 'the second part has not come')
  lines.add(1, part(SHARDS_MAX))
  t.same(lines.advance(), [], 'nobody has said that these are all')
  lines.add(0, said(SHARDS_MAX, 2))
  lines.add(0, own)
  t.same(lines.advance(), ['0.3', '0.4', '0.5', '0.6', '1.2'])
  t.same(lines.advance(), [])
  lines.add(0, own)
  t.same(lines.taken, ['0.7'], 'nothing waits any more')
})

t.test('groups that cross each other go on together', async (t) => {
  const lines = new Lines(3)
  const [a, b] = [SHARDS_MAX * 2 ** 40, SHARDS_MAX * 2 ** 40 + 1]
  lines.add(0, part(a))
  lines.add(0, part(b))
  lines.add(1, part(b))
  lines.add(1, part(a))
  lines.add(0, said(a, 2))
  t.same(lines.advance(), [], 'a stands behind b in one line, and b is not complete')
  lines.add(1, said(b, 2))
  t.same(lines.advance(), ['0.1', '0.2', '0.3', '1.1', '1.2', '1.3'])
})

t.test('what stands behind something that is not complete waits, whole', async (t) => {
  const lines = new Lines(3)
  const [blocked, open] = [64 + 1, 64 + 2]
  lines.add(0, part(open))
  lines.add(0, part(blocked))
  lines.add(1, own)
  lines.add(1, part(blocked))
  lines.add(1, said(blocked, 2))
  lines.add(1, own)
  t.same(lines.advance(), [])
  lines.add(2, said(open, 1))
  t.same(lines.advance(), ['0.1', '0.2', '1.2', '1.3', '1.4', '2.1'])
})

interface Group {
  readonly shards: readonly number[]
  readonly speaker: number
}

const SHARDS = 4
const groups = fc.record({
  shards: fc.uniqueArray(fc.integer({ min: 0, max: SHARDS - 1 }), { minLength: 1 }),
  speaker: fc.integer({ min: 0, max: SHARDS - 1 }),
})

/** Steps of all shards, in an order in which they could be written: a speaker speaks after the parts. */
function interleave(all: readonly Group[], order: readonly number[]): [shard: number, step: Step][] {
  const open = all.map(({ shards, speaker }, index) => {
    const group = (index + 1) * SHARDS_MAX + speaker
    const steps: [number, Step][] = shards.map((shard) => [shard, part(group)])
    return [...steps, [speaker, said(group, shards.length)] as [number, Step]]
  })
  const written: [number, Step][] = []
  for (const choice of order) {
    const left = open.filter((steps) => steps.length > 0)
    const steps = left[choice % (left.length + 1)]
    written.push(steps?.shift() ?? [choice % SHARDS, own])
  }
  return [...written, ...open.flat()]
}

t.test('any interleaving: groups whole or not at all, lines in order, all in the end', async () => {
  const run = (all: readonly Group[], order: readonly number[], arrivals: readonly number[]): void => {
    const lines = new Lines(SHARDS)
    const steps = interleave(all, order)
    const queues = Array.from({ length: SHARDS }, (_, shard) => steps.filter(([of]) => of === shard))
    const members = new Map<number, string[]>()
    const taken: string[] = []
    const check = (now: readonly string[]): void => {
      taken.push(...now)
      const set = new Set(now)
      for (const [group, names] of members) {
        const count = names.filter((name) => set.has(name)).length
        assert.ok(count === 0 || count === names.length, `group ${group}: ${count} of ${names.length}`)
      }
    }
    const arrive = (shard: number): void => {
      const next = queues[shard].shift()
      if (next === undefined) return
      const [, step] = next
      const before = lines.taken.length
      const name = lines.add(shard, step)
      if (step.kind === 'own') return
      assert.equal(lines.taken.length, before, 'one that belongs to others waits for `advance`')
      members.set(step.group, [...(members.get(step.group) ?? []), name])
    }
    const advance = (): void => {
      taken.push(...lines.taken)
      check(lines.advance())
      lines.taken = []
    }
    for (const choice of arrivals) {
      if (choice < SHARDS) arrive(choice)
      else advance()
    }
    for (const [shard, queue] of queues.entries()) while (queue.length > 0) arrive(shard)
    advance()
    assert.equal(taken.length, steps.length, 'nothing is left')
    for (let shard = 0; shard < SHARDS; shard++) {
      const places = taken.filter((name) => name.startsWith(`${shard}.`)).map((name) => Number(name.split('.')[1]))
      assert.deepEqual(
        places,
        [...places].sort((a, b) => a - b),
      )
    }
  }
  const choices = (max: number) => fc.array(fc.integer({ min: 0, max }), { maxLength: 60 })
  fc.assert(fc.property(fc.array(groups, { maxLength: 8 }), choices(20), choices(SHARDS + 1), run), { numRuns: 500 })
})
