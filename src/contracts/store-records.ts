/**
 * What shards write to the ring of the storage thread. A record is int32 fields at fixed positions, then bytes; int 0 is
 * its length (base/ring.ts), int 1 its kind, int 2 its number: numbers of one shard go up by one and wrap at 2^32. The
 * storage thread says in `FlushWords` up to which number everything is on disk.
 *
 * Numbers beyond 32 bits take two ints, the low one first.
 */
export const StoreKind = {
  /**
   * int 3 log, 4 and 5 sequence number, 6 bytes of the value that starts at int 12 (storage/log-value.ts), 0 for none, 7 and 8 the
   * session that sent it with QoS 2 and 9 the packet identifier it did so with, or 0. 10 and 11 number of what it belongs
   * to, or 0: see TOGETHER.
   */
  APPEND: 1,
  /** int 3 log, 4 and 5 sequence number, 6 number of places, then an int each: packet identifier | Progress << 16. */
  PROGRESS: 2,
  /** int 3 log, 4 and 5 sequence number: all its sessions are done. */
  DONE: 3,
  /** int 3 `StoreTable`, 4 bytes of the key, 5 of the value, both from int 6 on. */
  PUT: 4,
  /** int 3 `StoreTable`, 4 bytes of the key, which starts at int 6. */
  DELETE: 5,
  /** As DELETE, of all keys that begin so. */
  DELETE_PREFIX: 6,
  /**
   * A retained message, unless what is there has a later stamp: as PUT, but int 3 is 0 for a cleared topic, and int 6 is
   * the offset of the key in the record.
   */
  RETAIN: 7,
  /**
   * A QoS 2 message went to several shards, or a message is handed from one session to another: the APPENDs with this
   * number take effect in one transaction with this record and all that the same shard has written since the first of
   * them, or not at all. int 3 how many; 4 and 5 number; 6 and 7 the session that sent it and so has been received, 8 the
   * packet identifier, or 0.
   */
  TOGETHER: 8,
} as const

/** Tables that shards name in PUT and DELETE. */
export const StoreTable = { SESSIONS: 0, SUBSCRIPTIONS: 1, RECEIVED: 2 } as const

export const SHARDS_MAX = 64

export const STORE_NUMBER = 2
export const STORE_LOG = 3
export const STORE_SEQUENCE = 4
export const APPEND_VALUE_BYTES = 6
export const APPEND_PUBLISHER = 7
export const APPEND_PACKET_ID = 9
export const APPEND_TOGETHER = 10
export const APPEND_HEADER_INTS = 12
export const TOGETHER_PARTS = 3
export const TOGETHER_NUMBER = 4
export const TOGETHER_PUBLISHER = 6
export const TOGETHER_PACKET_ID = 8
export const TOGETHER_INTS = 10
export const PROGRESS_PLACES = 6
export const PROGRESS_HEADER_INTS = 7
export const PUT_TABLE = 3
export const PUT_KEY_BYTES = 4
export const PUT_VALUE_BYTES = 5
export const PUT_HEADER_INTS = 6
export const RETAIN_KEY = 6
export const RETAIN_HEADER_INTS = 7

/** int32 words that the storage thread writes and one shard reads, but for REFUSED_SEEN. */
export const FlushWord = {
  /** Number of the last record that is on disk, or was refused. */
  FLUSHED: 0,
  /**
   * Something was refused for want of room in the records behind this number, up to REFUSED; written before FLUSHED.
   * The next such range is announced when the shard has seen this one.
   */
  REFUSED_AFTER: 1,
  REFUSED: 2,
  /** What the shard has last read in REFUSED; written by the shard. */
  REFUSED_SEEN: 3,
  /** 1 while there is no room. */
  FULL: 4,
} as const

export function createFlushWords(): SharedArrayBuffer {
  return new SharedArrayBuffer(64)
}

/** The upper one of the two ints of a number from 0 to 2^53 - 1. */
export function highInt(value: number): number {
  return Math.floor(value / 0x1_0000_0000)
}

/** The lower one, as the int32 that has its bits. */
export function lowInt(value: number): number {
  return (value % 0x1_0000_0000) | 0
}

export function joinInts(low: number, high: number): number {
  return high * 0x1_0000_0000 + (low >>> 0)
}
