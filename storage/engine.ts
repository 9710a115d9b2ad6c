/** What a store is made of: tables of bytes by bytes, changed in transactions. Implemented on LMDB and in memory. */

/** Logs and their progress have a table for each shard that has ever written one. */
export const TABLE = {
  /** Version of the layout and other facts of the whole store, by name. */
  meta: 'meta',
  /** Sessions by their number. */
  sessions: 'sessions',
  /** Subscriptions by session number and filter. */
  subscriptions: 'subscriptions',
  /** QoS 2 messages received and not released, by session number and packet identifier. */
  received: 'received',
  /** Retained messages by topic. */
  retained: 'retained',
  /** Actions, models and other named state of LoT, by the UTF-8 of its key. */
  definitions: 'definitions',
  /** Messages by sequence number, with the sessions they are for. */
  log: (shard: number): string => `log.${shard}`,
  /** How far these sessions have come with a message, by the same sequence number. */
  progress: (shard: number): string => `progress.${shard}`,
} as const

export { SHARDS_MAX } from '../src/contracts/store-records.js'

export interface StoreEntry {
  readonly key: Uint8Array
  /** Valid until the next step of the iteration. */
  readonly value: Uint8Array
}

export interface RangeOptions {
  /** The first key, or what it begins with; from the start of the table without it. */
  readonly from?: Uint8Array
  /** Only keys that begin with these bytes. */
  readonly prefix?: Uint8Array
  /** Entries at most. */
  readonly limit?: number
}

export interface StoreReader {
  /** @returns a copy; undefined if there is none */
  get(table: string, key: Uint8Array): Uint8Array | undefined
  /** Entries in the order of their keys' bytes. What is committed meanwhile may or may not be among them. */
  range(table: string, options?: RangeOptions): Iterable<StoreEntry>
  count(table: string): number
  /** Names of the tables that exist, in order. */
  readonly tables: readonly string[]
}

/** Valid while `commit` runs. Values and keys are copied: the caller's memory may change afterwards. */
export interface StoreTransaction extends StoreReader {
  /** Makes the table if there is none. */
  put(table: string, key: Uint8Array, value: Uint8Array): void
  /** @returns whether there was one */
  delete(table: string, key: Uint8Array): boolean
  /** Deletes all entries whose key begins with these bytes. @returns how many */
  deletePrefix(table: string, prefix: Uint8Array): number
}

export interface StoreSize {
  /** Of the file, in bytes. */
  readonly fileBytes: number
  /** Of it, free to be used again. */
  readonly freeBytes: number
}

export interface StoreEngine extends StoreReader {
  /**
   * Runs `work` as one transaction. When this returns, it is on disk and will be there after a loss of power; when it
   * throws, nothing of it has happened.
   * @param usesReserve what it puts is little and leads to room: it may go beyond the limit, into what is kept free
   * @throws BrokerError STORE_FULL when disk or limit leave no room; whatever `work` throws
   */
  commit(work: (transaction: StoreTransaction) => void, usesReserve?: boolean): void
  size(): StoreSize
  close(): Promise<void>
}
