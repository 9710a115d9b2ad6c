/** The control plane: calls that the main thread makes to the others, and what they are started with. */
import type { MessagePort } from 'node:worker_threads'
import type { BrokerConfig } from '../config/schema.js'

/** The memory between one connection thread and one shard. */
export interface RingPair {
  readonly toShard: SharedArrayBuffer
  readonly toConnection: SharedArrayBuffer
}

/** What a thread is started with. Lists are indexed by the number of the other thread. */
export interface ThreadTask {
  readonly index: number
  readonly config: BrokerConfig
  readonly clock: SharedArrayBuffer
  readonly doorbell: SharedArrayBuffer
  readonly counters: SharedArrayBuffer
  /** Of the whole broker, for limits that hold across threads: int 0 network connections, int 1 sessions. */
  readonly totals: SharedArrayBuffer
  readonly control: MessagePort
  /** Carries `LogRecord`s to the main thread. */
  readonly log: MessagePort
}

export interface ShardTask extends ThreadTask {
  readonly connections: readonly RingPair[]
  readonly connectionDoorbells: readonly SharedArrayBuffer[]
  /** Rings from and to the other shards; undefined at the own place. */
  readonly peersIn: readonly (SharedArrayBuffer | undefined)[]
  readonly peersOut: readonly (SharedArrayBuffer | undefined)[]
  readonly shardDoorbells: readonly SharedArrayBuffer[]
}

export interface ConnectionTask extends ThreadTask {
  readonly shards: readonly RingPair[]
  readonly shardDoorbells: readonly SharedArrayBuffer[]
  /** Several connection threads listen on the same ports. */
  readonly sharesPorts: boolean
}

export interface InternalPublish {
  readonly topic: string
  readonly payload: Uint8Array
  readonly retain: boolean
}

/** Calls that every thread answers. */
export interface ThreadApi {
  /** Runs what is due: the clock was moved. */
  tick(): void
  /** Resolves when everything that was in this thread's rings has been worked off. @returns whether there was anything */
  settle(): Promise<boolean>
}

export interface ShardApi extends ThreadApi {
  /** Publishes on behalf of the broker itself, as `$SYS` does. */
  publish(messages: readonly InternalPublish[]): void
  /** A connection thread was started anew: its old connections are gone. */
  replaceConnectionThread(index: number, rings: RingPair): void
  /** Another shard was started anew: its interests are gone, and it does not know ours. */
  replacePeer(index: number, incoming: SharedArrayBuffer, outgoing: SharedArrayBuffer): void
  /** Ends all network connections with `reasonCode`, wills as the specification wants them. Resolves when told to all. */
  shutDown(reasonCode: number): Promise<void>
}

/** Instead of a port: another thread has this listener. */
export const ELSEWHERE = -1

export interface ConnectionApi extends ThreadApi {
  /** @param ports per listener of the configuration, in its order, or ELSEWHERE @returns the ports taken, 0 for Unix sockets */
  listen(ports: readonly number[]): Promise<readonly number[]>
  /** A shard was started anew: connections of its sessions are closed. */
  replaceShard(index: number, rings: RingPair): void
  /** Accepts nothing new; resolves when all connections are closed, at the latest after `graceMs`. */
  shutDown(graceMs: number): Promise<void>
}
