/** Topic aliases (§3.3.2.3.4), of one network connection each way. */
import { sameBytes } from '../base/bytes.js'

export interface AliasedTopic {
  readonly bytes: Uint8Array
  readonly hash: number
  readonly levels: number
}

/** Aliases that a client has set. */
export class InboundAliases {
  readonly #topics: (AliasedTopic | undefined)[] = []

  set(alias: number, topic: AliasedTopic): void {
    this.#topics[alias] = topic
  }

  get(alias: number): AliasedTopic | undefined {
    return this.#topics[alias]
  }
}

/** What the broker does with the topic of one outgoing message. */
export const AliasUse = { NONE: 0, SET: 1, REPLACE: 2 } as const
export type AliasUse = (typeof AliasUse)[keyof typeof AliasUse]

/**
 * Aliases that the broker gives. A topic gets one when it comes a second time, so that topics used once do not push out
 * those that repeat; when all are given, the one unused for longest is given anew.
 */
export class OutboundAliases {
  /** By hash of the topic, least recently used first. */
  readonly #byHash = new Map<number, { readonly alias: number; readonly bytes: Uint8Array }>()
  /** Hashes of topics seen once, bounded like the aliases themselves. */
  readonly #seenOnce = new Set<number>()
  readonly #free: number[] = []
  #given = 0
  /** The alias that the last `choose` is about. */
  alias = 0

  /** @param maximum of the client and of the configuration, the smaller; at least 1 */
  constructor(readonly maximum: number) {}

  choose(bytes: Uint8Array, start: number, length: number, hash: number): AliasUse {
    const known = this.#byHash.get(hash)
    if (known !== undefined) {
      if (known.bytes.length !== length || !sameBytes(known.bytes, 0, bytes, start, length)) return AliasUse.NONE
      this.#byHash.delete(hash)
      this.#byHash.set(hash, known)
      this.alias = known.alias
      return AliasUse.REPLACE
    }
    if (!this.#seenOnce.delete(hash)) {
      if (this.#seenOnce.size >= this.maximum * 4) this.#seenOnce.clear()
      this.#seenOnce.add(hash)
      return AliasUse.NONE
    }
    this.alias = this.#free.pop() ?? (this.#given < this.maximum ? ++this.#given : this.#takeOldest())
    this.#byHash.set(hash, { alias: this.alias, bytes: bytes.slice(start, start + length) })
    return AliasUse.SET
  }

  /** The alias that was just chosen was not sent. */
  forget(hash: number): void {
    const known = this.#byHash.get(hash)
    if (known === undefined) return
    this.#byHash.delete(hash)
    this.#free.push(known.alias)
  }

  #takeOldest(): number {
    const [hash, { alias }] = this.#byHash.entries().next().value as [number, { alias: number }]
    this.#byHash.delete(hash)
    return alias
  }
}
