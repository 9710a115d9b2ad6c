/**
 * The time in which the sessions of all shards are read from the store. Clients are served, but nothing is routed: it would
 * not find everybody who has subscribed. What would have to be routed waits, and behind it whatever its client sends.
 */
import { decodeText } from '../base/bytes.js'
import { recordBytes } from '../base/ring.js'
import {
  ACK_DESCRIPTOR_INTS,
  CONTROL_DESCRIPTOR_INTS,
  type ConnectRequest,
  Descriptor,
  InboundKind,
  KIND,
  PACKETS_DESCRIPTOR_INTS,
  PACKETS_HEADER_INTS,
  SLOT,
} from '../contracts/records.js'
import type { ShardState } from './shard-state.js'

/** Beyond it nothing is taken from connections and LoT until all sessions are there. */
const WAITING_BYTES_MAX = 67_108_864
/** Sessions read out of turn between two slices of reading: each takes as long as many in turn. */
const TAKEN_MAX = 64

/** Something that is done when everybody who has subscribed is known. */
interface Waiting {
  /** Of the connection thread that it came from; -1 if from none. */
  readonly thread: number
  readonly bytes: number
  readonly work: () => void
}

/** A record in memory of its own. */
interface RecordCopy {
  readonly bytes: Uint8Array
  readonly ints: Int32Array
}

export interface OpeningParts {
  /** Sessions that are still to be read. */
  readonly left: number
  /** Whether the session of this client is still to be read. */
  isUnread(clientId: string): boolean
  /** Reads it before its turn. */
  restore(clientId: string): void
}

export class Opening {
  /** Users who were removed meanwhile: their sessions end when they are read. */
  readonly removedUsers = new Set<string>()
  #waiting: Waiting[] = []
  #done = 0
  #bytes = 0
  /** Slots by connection thread whose clients wait, and clients whose CONNECT does. */
  readonly #slots: Set<number>[] = []
  readonly #clients = new Set<string>()
  #takenLeft = TAKEN_MAX
  #isOver = false

  constructor(readonly parts: OpeningParts) {}

  /** Nothing may be taken from connections and LoT: what waits goes on just now, or there is no room for more. */
  get holdsBack(): boolean {
    return this.#isOver || this.#bytes >= WAITING_BYTES_MAX
  }

  /** All sessions of all shards are there: what waits may go on. */
  get isOver(): boolean {
    return this.#isOver
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  end(): void {
    this.#isOver = true
  }

  /** A slice of reading has ended: clients that connect have their sessions read before others. */
  nextSlice(): void {
    this.#takenLeft = TAKEN_MAX
  }

  wait(bytes: number, work: () => void, thread = -1): void {
    this.#waiting.push({ thread, bytes, work })
    this.#bytes += bytes
  }

  /** @param handle called later with a copy of the record */
  keepRecord(bytes: Uint8Array, ints: Int32Array, at: number, handle: (copy: RecordCopy) => void, thread = -1): void {
    const copy = copyRecord(bytes, ints, at)
    this.wait(copy.bytes.length, () => handle(copy), thread)
  }

  /**
   * Whether a record of a connection has to wait; if not, the session of a client that connects is there by now.
   * @param at byte offset of the record
   */
  mustWait(shard: ShardState, thread: number, bytes: Uint8Array, ints: Int32Array, at: number): boolean {
    const i = at >> 2
    const slot = ints[i + SLOT]
    this.#slots[thread] ??= new Set()
    if (this.#slots[thread].has(slot)) return true
    const kind = ints[i + KIND]
    const waits =
      kind === InboundKind.CONNECT
        ? this.#connectWaits(shard, (JSON.parse(decodeText(bytes, at + 16, ints[i + 3])) as ConnectRequest).clientId)
        : kind === InboundKind.PACKETS && holdsPublish(ints, i)
    if (waits) this.#slots[thread].add(slot)
    return waits
  }

  /** A client comes behind what it has sent by an earlier connection; and when too many have come at once, later. */
  #connectWaits(shard: ShardState, clientId: string): boolean {
    const session = shard.sessions.get(clientId)
    const isBehind = session !== undefined && this.#slots[session.thread]?.has(session.slot) === true
    const isUnread = this.parts.isUnread(clientId)
    if (isBehind || this.#clients.has(clientId) || (isUnread && this.#takenLeft === 0)) {
      this.#clients.add(clientId)
      return true
    }
    if (isUnread) {
      this.#takenLeft--
      this.parts.restore(clientId)
    }
    return false
  }

  /** A connection thread is gone, and with it all its clients had sent. */
  forget(thread: number): void {
    this.#slots[thread]?.clear()
    this.#waiting = this.#waiting.slice(this.#done).filter((each) => each.thread !== thread)
    this.#done = 0
    this.#bytes = this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Does what waits, in order, at least one. @returns bytes of it; 0 when nothing is left */
  release(bytesMax: number): number {
    let released = 0
    while (released < bytesMax && this.#done < this.#waiting.length) {
      const { bytes, work } = this.#waiting[this.#done++]
      released += bytes
      this.#bytes -= bytes
      work()
    }
    if (this.#done === this.#waiting.length) {
      this.#waiting = []
      this.#done = 0
    }
    return released
  }
}

/** Whether there is a PUBLISH among these packets. @param i of the record */
function holdsPublish(ints: Int32Array, i: number): boolean {
  const end = i + PACKETS_HEADER_INTS + ints[i + PACKETS_DESCRIPTOR_INTS]
  for (let d = i + PACKETS_HEADER_INTS; d < end; ) {
    const kind = ints[d] & 0xff
    if (kind === Descriptor.PUBLISH) return true
    d += kind === Descriptor.ACK ? ACK_DESCRIPTOR_INTS : CONTROL_DESCRIPTOR_INTS
  }
  return false
}

function copyRecord(bytes: Uint8Array, ints: Int32Array, at: number): RecordCopy {
  const length = recordBytes(ints, at)
  const memory = new ArrayBuffer(length)
  const copy = new Uint8Array(memory)
  copy.set(bytes.subarray(at, at + length))
  return { bytes: copy, ints: new Int32Array(memory) }
}
