/** What a connection thread writes for the shards, and the connections it stops reading while a shard is behind. */
import type { RingProducer } from '../base/ring.js'
import { jsonBytes } from '../contracts/record-json.js'
import { KIND, SLOT } from '../contracts/records.js'
import { type Connection, ConnectionState, isReadable } from './connection.js'

export interface ToShardsParts {
  /** By shard; one that is started anew gets another ring. */
  readonly rings: readonly RingProducer[]
  /** Bytes were written to the ring of that shard. */
  readonly written: (shard: number) => void
  /** By slot. */
  readonly connections: readonly (Connection | undefined)[]
  /** The shard of the connection is no longer behind: goes on with what waits, then with the socket. */
  readonly readOn: (connection: Connection) => void
}

export class ToShards {
  /** Shards whose ring is too full: connections of their sessions are not read. */
  readonly #congested = new Set<number>()
  #isPublishing = false

  constructor(readonly parts: ToShardsParts) {}

  readonly ringOf = (connection: Connection): RingProducer => this.parts.rings[connection.shard]

  isBehind(shard: number): boolean {
    return this.#congested.has(shard)
  }

  /** Makes visible what was written for a shard; when it does not fit, sockets of its sessions are read no further. */
  publish(shard: number): void {
    const { rings, written, connections } = this.parts
    this.#isPublishing = true
    written(shard)
    this.#isPublishing = false
    if (!rings[shard].isCongested || this.#congested.has(shard)) return
    this.#congested.add(shard)
    for (const connection of connections) {
      if (connection === undefined || connection.shard !== shard) continue
      connection.isPaused = true
      connection.transport.pause()
    }
  }

  /**
   * Call after the rings were published anew. From within `written` it changes nothing, because other packets are in
   * the middle of their way then: call it again. @returns true while some shard is behind
   */
  resumeReading(): boolean {
    if (!this.#isPublishing) for (const shard of this.#congested) this.#resumeShard(shard)
    return this.#congested.size > 0
  }

  /** The shard is another one now, and its ring empty. */
  forget(shard: number): void {
    this.#congested.delete(shard)
  }

  /** A record with JSON. */
  tell(connection: Connection, kind: number, said: object): void {
    const json = jsonBytes(said)
    const ring = this.ringOf(connection)
    const at = ring.begin(16 + json.length)
    ring.ints[(at >> 2) + KIND] = kind
    ring.ints[(at >> 2) + SLOT] = connection.slot
    ring.ints[(at >> 2) + 3] = json.length
    ring.bytes.set(json, at + 16)
    ring.end(at, 16 + json.length)
    this.publish(connection.shard)
  }

  /** A record with one number. */
  signal(connection: Connection, kind: number, value: number): void {
    const ring = this.ringOf(connection)
    const at = ring.begin(16)
    ring.ints[(at >> 2) + KIND] = kind
    ring.ints[(at >> 2) + SLOT] = connection.slot
    ring.ints[(at >> 2) + 3] = value
    ring.end(at, 16)
    this.publish(connection.shard)
  }

  #resumeShard(shard: number): void {
    const { rings, connections, readOn } = this.parts
    if (rings[shard].isCongested) return
    this.#congested.delete(shard)
    for (const connection of connections) {
      if (connection === undefined || connection.shard !== shard || !connection.isPaused) continue
      connection.isPaused = false
      if (connection.state === ConnectionState.CONNECTED && isReadable(connection)) readOn(connection)
      if (this.#congested.has(shard)) return // what had waited has filled the ring again: the others stay paused
    }
  }
}
