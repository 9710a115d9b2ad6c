/** Which topics and session events the shards send: counted, so that each is asked for once and let go once. */
import type { Shards } from './shards.js'

interface Wanting {
  /** Shards that have not answered. */
  readonly missing: Set<number>
  readonly resolve: () => void
  readonly done: Promise<void>
}

export class Interest {
  readonly #counts = new Map<string, number>()
  readonly #hookCounts = new Map<number, number>()
  /** By number of the question. */
  readonly #asked = new Map<number, { readonly filter: string; readonly wanting: Wanting }>()
  /** By filter that some shard has not confirmed. */
  readonly #open = new Map<string, Wanting>()
  #lastNumber = 0

  constructor(readonly shards: Shards) {}

  want(filter: string): void {
    const count = this.#counts.get(filter) ?? 0
    this.#counts.set(filter, count + 1)
    if (count > 0) return
    const wanting = newWanting(this.shards.count)
    this.#open.set(filter, wanting)
    this.#ask(filter, wanting, wanting.missing)
  }

  unwant(filter: string): void {
    const count = this.#counts.get(filter)
    if (count === undefined) return
    if (count > 1) {
      this.#counts.set(filter, count - 1)
      return
    }
    this.#counts.delete(filter)
    this.#open.get(filter)?.resolve()
    this.#open.delete(filter)
    for (let shard = 0; shard < this.shards.count; shard++) this.shards.want(shard, this.#nextNumber(), false, filter)
  }

  /** Resolves when all shards have confirmed these filters. */
  async confirmed(filters: readonly string[]): Promise<void> {
    await Promise.all(filters.map((filter) => this.#open.get(filter)?.done))
  }

  /** WANTED came. */
  answered(shard: number, number: number): void {
    const asked = this.#asked.get(number)
    if (asked === undefined) return
    const { filter, wanting } = asked
    this.#asked.delete(number)
    wanting.missing.delete(shard)
    if (wanting.missing.size > 0) return
    wanting.resolve()
    if (this.#open.get(filter) === wanting) this.#open.delete(filter)
  }

  /** @param hook a `SessionHook` */
  wantHook(hook: number, isWanted: boolean): void {
    this.#hookCounts.set(hook, (this.#hookCounts.get(hook) ?? 0) + (isWanted ? 1 : -1))
    for (let shard = 0; shard < this.shards.count; shard++) this.shards.setHooks(shard, this.#hooks())
  }

  /** A shard was started anew and knows nothing. Resolves when it knows all. */
  async tellAgain(shard: number): Promise<void> {
    for (const [number, { wanting }] of this.#asked) if (!wanting.missing.has(shard)) this.#asked.delete(number)
    for (const filter of this.#counts.keys()) {
      const wanting = this.#open.get(filter) ?? newWanting(0)
      wanting.missing.add(shard)
      this.#open.set(filter, wanting)
      this.#ask(filter, wanting, [shard])
    }
    this.shards.setHooks(shard, this.#hooks())
    await this.confirmed([...this.#counts.keys()])
  }

  #ask(filter: string, wanting: Wanting, shards: Iterable<number>): void {
    for (const shard of shards) {
      const number = this.#nextNumber()
      this.#asked.set(number, { filter, wanting })
      this.shards.want(shard, number, true, filter)
    }
  }

  #hooks(): number {
    let hooks = 0
    for (const [hook, count] of this.#hookCounts) if (count > 0) hooks |= hook
    return hooks
  }

  #nextNumber(): number {
    this.#lastNumber = (this.#lastNumber % 0x7fff_ffff) + 1
    return this.#lastNumber
  }
}

function newWanting(shards: number): Wanting {
  let resolve = (): void => {}
  const done = new Promise<void>((settle) => {
    resolve = settle
  })
  return { missing: new Set(Array.from({ length: shards }, (_, shard) => shard)), resolve, done }
}
