/** The control plane: calls that the main thread makes to the others, and what they are started with. */
import type { MessagePort } from 'node:worker_threads'
import type { BrokerConfig } from '../config/schema.js'
import type { BansChange } from './bans.js'
import type { LimitsMemory } from './limits.js'
import type { DefinitionChange, LotLink, StoredDefinition } from './lot.js'
import type { AccessChange, AccessExplanation, AccessQuestion, CredentialsChange, Decision } from './security.js'
import type { SessionSummary } from './sessions.js'

/** The memory between one connection thread and one shard. */
export interface RingPair {
  readonly toShard: SharedArrayBuffer
  readonly toConnection: SharedArrayBuffer
}

/** Between one shard and the storage thread. */
export interface StoreLink {
  /** Records of store-records.ts. */
  readonly ring: SharedArrayBuffer
  /** `FlushWord`s. */
  readonly words: SharedArrayBuffer
}

/** What a thread is started with. Lists are indexed by the number of the other thread. */
export interface ThreadTask {
  readonly index: number
  readonly config: BrokerConfig
  readonly clock: SharedArrayBuffer
  readonly doorbell: SharedArrayBuffer
  readonly counters: SharedArrayBuffer
  /** Of the whole broker, for limits that hold across threads: as `Wiring.totals`. */
  readonly totals: SharedArrayBuffer
  readonly control: MessagePort
  /** Carries `LogRecord`s to the main thread. */
  readonly log: MessagePort
  /** Carries lists of `AuditEntry` to the main thread. */
  readonly audit: MessagePort
}

export interface ShardTask extends ThreadTask {
  readonly limits: LimitsMemory
  readonly connections: readonly RingPair[]
  readonly connectionDoorbells: readonly SharedArrayBuffer[]
  /** Rings from and to the other shards; undefined at the own place. */
  readonly peersIn: readonly (SharedArrayBuffer | undefined)[]
  readonly peersOut: readonly (SharedArrayBuffer | undefined)[]
  readonly shardDoorbells: readonly SharedArrayBuffer[]
  readonly lot: LotLink
  readonly lotDoorbell: SharedArrayBuffer
  /** undefined where nothing is kept on disk. */
  readonly storage: (StoreLink & { readonly doorbell: SharedArrayBuffer }) | undefined
}

export interface StorageTask extends ThreadTask {
  /** Of a `WriteGate`: to be shut before this thread is ended from outside. */
  readonly gate: SharedArrayBuffer
  /** By shard. */
  readonly shards: readonly StoreLink[]
  readonly shardDoorbells: readonly SharedArrayBuffer[]
}

export interface ConnectionTask extends ThreadTask {
  readonly limits: LimitsMemory
  readonly shards: readonly RingPair[]
  readonly shardDoorbells: readonly SharedArrayBuffer[]
  /** What TLS session tickets are encrypted from (ticket-keys.ts); all connection threads have the same. */
  readonly ticketSecret: SharedArrayBuffer
  /** Connection threads that there are. */
  readonly threads: number
  /** Whoever has it is `root`, from this machine; undefined where nobody is. */
  readonly controlToken: string | undefined
  /** Carries `BanReport`s to the main thread. */
  readonly reports: MessagePort
  /** Several connection threads listen on the same ports. */
  readonly sharesPorts: boolean
}

/** The session that alone gets a message, as long as it is this user's. */
export interface Recipient {
  readonly clientId: string
  /** undefined for anonymous clients. */
  readonly userName: string | undefined
}

export interface InternalPublish {
  readonly topic: string
  readonly payload: Uint8Array
  readonly retain: boolean
  /** Everybody who has subscribed, where left out. Not for retained messages. */
  readonly recipient?: Recipient
}

/** Calls that every thread answers. */
export interface ThreadApi {
  /** Runs what is due: the clock was moved. */
  tick(): void
  /** Resolves when everything that was in this thread's rings has been worked off. @returns whether there was anything */
  settle(): Promise<boolean>
  /** Another configuration: what can change while the broker runs takes effect. */
  reconfigure(config: BrokerConfig): void
}

/** What a shard has found in the store. */
export interface RestoredCounts {
  readonly sessions: number
  /** Of them, still to be read: it has begun to work before. */
  readonly unreadSessions: number
  /** Not all of them for sessions of this shard; they are read after it has begun to work. */
  readonly messages: number
  /** Read after it has begun to work, too. */
  readonly retained: number
}

export interface ShardApi extends ThreadApi {
  /** Resolves when clients may connect to it. What they publish waits for `beginRouting`. */
  ready(): Promise<RestoredCounts>
  /** Reads the sessions that are left. @returns how many sessions and subscriptions could not be read and are given up */
  readSessions(): Promise<number>
  /** The sessions of all shards are there: what is published from now on reaches them. */
  beginRouting(): void
  /**
   * Reads retained messages and those that wait for its sessions. After `beginRouting` of all shards: a session that ends
   * hands its messages to members of shared groups on all of them. @returns how many could not be read
   */
  readMessages(): Promise<number>
  /** Publishes on behalf of the broker itself, as `$SYS` does. What is for a session of another shard is passed over. */
  publish(messages: readonly InternalPublish[]): void
  /**
   * Retained messages whose topics the filter matches, in the order of topics, after this one. At most `limit`. While
   * the store is being read, those of the filter are read before.
   */
  retainedValues(filter: string, after: string | undefined, limit: number): Promise<readonly InternalPublish[]>
  /**
   * Other rules or users; the first call lets clients in. Sessions of removed users end.
   * @throws BrokerError RULE_UNREADABLE: what was known before stays in force
   */
  changeAccess(change: AccessChange): void
  /** For commands: what rules say of it at this moment. */
  decide(question: AccessQuestion): Decision
  /** As `decide`, with all rules that were looked at. */
  explainAccess(question: AccessQuestion): AccessExplanation
  /** Sessions whose connection came or went last, the latest first; at most `SESSIONS_LISTED_MAX`. */
  sessions(): readonly SessionSummary[]
  /** The LoT thread was started anew: what it wanted is gone. */
  replaceLot(link: LotLink): void
  /** A connection thread was started anew: its old connections are gone. */
  replaceConnectionThread(index: number, rings: RingPair): void
  /** Another shard was started anew: its interests are gone, and it does not know ours. */
  replacePeer(index: number, incoming: SharedArrayBuffer, outgoing: SharedArrayBuffer): void
  /** Ends all network connections with `reasonCode`, wills as the specification wants them. Resolves when told to all. */
  shutDown(reasonCode: number): Promise<void>
}

/** What had to be given up when the store was opened. */
export interface StoreOpening {
  readonly quarantined: { readonly path: string; readonly reason: string } | undefined
}

export interface StorageApi extends ThreadApi {
  /** @throws BrokerError STORE_IN_USE, STORE_TOO_NEW, STORE_DAMAGED, FOLDER_UNUSABLE */
  open(): Promise<StoreOpening>
  /** All that was in it has been read: the next start need not doubt it. */
  confirm(): void
  /** All shards are started anew: what the old ones had written is committed when this resolves. */
  replaceShards(rings: readonly SharedArrayBuffer[]): void
  /** Changes definitions in one transaction. Resolves when they are on disk. @throws BrokerError STORE_FULL */
  saveDefinitions(changes: readonly DefinitionChange[]): Promise<void>
  /** What is damaged is left out; of users and rules the keys are there, without values: nothing may be allowed by their loss. */
  definitions(): Promise<readonly StoredDefinition[]>
  /** Commits what there is and closes the store. */
  shutDown(): Promise<void>
}

/**
 * What became of the certificates of a listener (`tls 0.0.0.0:8883`) when they were read again: they hold for connections
 * from now on, or those before stay in force.
 */
export type TlsReload =
  | { readonly listener: string; readonly ok: true }
  | { readonly listener: string; readonly ok: false; readonly problem: string }

/** Instead of a port: another thread has this listener. */
export const ELSEWHERE = -1

export interface ConnectionApi extends ThreadApi {
  /** @param ports per listener of the configuration, in its order, or ELSEWHERE @returns the ports taken, 0 for Unix sockets */
  listen(ports: readonly number[]): Promise<readonly number[]>
  /** Other bans; connections that are open are closed where somebody has set the ban. */
  changeBans(change: BansChange): void
  /** Other credentials; before the first call nobody is admitted. */
  changeCredentials(change: CredentialsChange): void
  /** Reads the certificates of all TLS listeners again. Connections stay. */
  reloadTls(): readonly TlsReload[]
  /** A shard was started anew: connections of its sessions are closed. */
  replaceShard(index: number, rings: RingPair): void
  /** Accepts nothing new; resolves when all connections are closed, at the latest after `graceMs`. */
  shutDown(graceMs: number): Promise<void>
}
