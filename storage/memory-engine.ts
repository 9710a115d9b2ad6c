/** A store in memory: the reference that other engines are compared with, and what tests run on. */
import { BrokerError } from '../src/base/errors.js'
import type { RangeOptions, StoreEngine, StoreEntry, StoreSize, StoreTransaction } from './engine.js'
import { checkKey, compareKeys, firstKey, hasPrefix } from './store-keys.js'

interface Entry {
  readonly key: Uint8Array
  value: Uint8Array
}

/** Sorted by key. */
type Table = Entry[]

export interface MemoryEngineOptions {
  /** Bytes of keys and values at most; 0 for no limit. */
  readonly bytesMax?: number
}

export class MemoryEngine implements StoreEngine {
  readonly #tables = new Map<string, Table>()
  readonly #bytesMax: number
  #bytes = 0
  /** What takes back the running transaction, oldest step first; undefined while none runs. */
  #undo: (() => void)[] | undefined
  #isClosed = false

  constructor({ bytesMax = 0 }: MemoryEngineOptions = {}) {
    this.#bytesMax = bytesMax
  }

  get tables(): readonly string[] {
    this.#checkOpen()
    return [...this.#tables.keys()].sort()
  }

  get(table: string, key: Uint8Array): Uint8Array | undefined {
    checkKey(key)
    const entries = this.#entries(table)
    const index = indexOf(entries, key)
    return matches(entries[index], key) ? new Uint8Array(entries[index].value) : undefined
  }

  *range(table: string, options: RangeOptions = {}): Generator<StoreEntry> {
    const { prefix, limit = Number.POSITIVE_INFINITY } = options
    let next = firstKey(options)
    let isFirst = true
    for (let given = 0; given < limit; given++) {
      const entries = this.#entries(table)
      let index = next === undefined ? 0 : indexOf(entries, next)
      if (!isFirst && next !== undefined && matches(entries[index], next)) index++
      if (index >= entries.length) return
      const { key, value } = entries[index]
      if (prefix !== undefined && !hasPrefix(key, prefix)) return
      yield { key: new Uint8Array(key), value: new Uint8Array(value) }
      next = key
      isFirst = false
    }
  }

  count(table: string): number {
    return this.#entries(table).length
  }

  commit(work: (transaction: StoreTransaction) => void, usesReserve = false): void {
    this.#checkOpen()
    if (this.#undo !== undefined) throw new Error('a transaction within a transaction')
    const undo: (() => void)[] = []
    this.#undo = undo
    let hasPut = false
    let hasEnded = false
    const check = (): void => {
      if (hasEnded) throw new Error('the transaction has ended')
    }
    const engine = this
    try {
      work({
        get tables() {
          check()
          return engine.tables
        },
        get: (table, key) => {
          check()
          return this.get(table, key)
        },
        range: (table, options) => {
          check()
          return this.range(table, options)
        },
        count: (table) => {
          check()
          return this.count(table)
        },
        put: (table, key, value) => {
          check()
          hasPut = true
          this.#put(table, key, value, undo)
        },
        delete: (table, key) => {
          check()
          return this.#delete(table, key, undo)
        },
        deletePrefix: (table, prefix) => {
          check()
          const keys = [...this.range(table, { prefix })].map(({ key }) => key)
          for (const key of keys) this.#delete(table, key, undo)
          return keys.length
        },
      })
      if (hasPut && !usesReserve && this.#bytesMax > 0 && this.#bytes > this.#bytesMax) {
        throw new BrokerError('STORE_FULL', { reason: `its limit is ${this.#bytesMax} bytes` })
      }
    } catch (error) {
      for (const takeBack of undo.reverse()) takeBack()
      throw error
    } finally {
      hasEnded = true
      this.#undo = undefined
    }
  }

  size(): StoreSize {
    this.#checkOpen()
    return { fileBytes: this.#bytes, freeBytes: 0 }
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #put(table: string, key: Uint8Array, value: Uint8Array, undo: (() => void)[]): void {
    checkKey(key)
    let entries = this.#tables.get(table)
    if (entries === undefined) {
      entries = []
      this.#tables.set(table, entries)
      undo.push(() => this.#tables.delete(table))
    }
    const into = entries
    const index = indexOf(into, key)
    const copy = new Uint8Array(value)
    const old = into[index]
    if (matches(old, key)) {
      const before = old.value
      old.value = copy
      this.#bytes += copy.length - before.length
      undo.push(() => {
        old.value = before
        this.#bytes -= copy.length - before.length
      })
      return
    }
    const entry = { key: new Uint8Array(key), value: copy }
    into.splice(index, 0, entry)
    this.#bytes += entry.key.length + copy.length
    undo.push(() => {
      into.splice(indexOf(into, entry.key), 1)
      this.#bytes -= entry.key.length + copy.length
    })
  }

  #delete(table: string, key: Uint8Array, undo: (() => void)[]): boolean {
    checkKey(key)
    const entries = this.#entries(table)
    const index = indexOf(entries, key)
    if (!matches(entries[index], key)) return false
    const [entry] = entries.splice(index, 1)
    const bytes = entry.key.length + entry.value.length
    this.#bytes -= bytes
    undo.push(() => {
      entries.splice(indexOf(entries, entry.key), 0, entry)
      this.#bytes += bytes
    })
    return true
  }

  #entries(table: string): Table {
    this.#checkOpen()
    return this.#tables.get(table) ?? []
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new Error('the store is closed')
  }
}

/** Where the key is or belongs. */
function indexOf(entries: Table, key: Uint8Array): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(entries[middle].key, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function matches(entry: Entry | undefined, key: Uint8Array): boolean {
  return entry !== undefined && compareKeys(entry.key, key) === 0
}
