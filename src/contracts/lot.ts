/**
 * Between the broker and the LoT thread. The LoT thread is one more holder of interest: it tells every shard which topics
 * it wants, gets their messages through a ring, and publishes through another. No user code runs in it (ARCHITECTURE.md).
 */
import type { BrokerConfig } from '../config/schema.js'
import type { Identity } from './security.js'
import type { InternalPublish, ThreadApi, ThreadTask } from './threads.js'

// ---------- records; int 0 length, int 1 kind ----------

/** Shard to LoT thread. int 2 is the number of the shard. */
export const ToLotKind = {
  /** A message on a topic that the LoT thread wants: see `LOT_*`. */
  MESSAGE: 1,
  /** What a session did: int 3 byte length of the JSON of `SessionEvent` from int 4 on. */
  SESSION: 2,
  /** Answer to WANT: int 3 its number. From then on every message with such a topic comes. */
  WANTED: 3,
} as const

/**
 * MESSAGE: int 3 number to answer with (0: no answer), int 4 qos | retain << 2 | depth << `DEPTH_SHIFT` where it is one
 * that LoT has published as `GOVERNED` (0 for all others), then offsets relative to the record and
 * lengths in bytes of topic, payload, client identifier of the publisher and JSON of its `Identity`, and the hash of the
 * topic. The client identifier is empty where the broker itself publishes, the identity also where nobody asks for it:
 * it comes with what clients write to the broker below `$SYS`.
 */
export const LOT_NUMBER = 3
export const LOT_FLAGS = 4
export const LOT_TOPIC = 5
export const LOT_TOPIC_BYTES = 6
export const LOT_TOPIC_HASH = 7
export const LOT_PAYLOAD = 8
export const LOT_PAYLOAD_BYTES = 9
export const LOT_CLIENT = 10
export const LOT_CLIENT_BYTES = 11
export const LOT_IDENTITY = 12
export const LOT_IDENTITY_BYTES = 13
export const LOT_FIXED_INTS = 14

/** LoT thread to shard. */
export const FromLotKind = {
  /** int 3 number to answer with, int 4 1 to want it and 0 no longer, int 5 byte length of the filter from int 6 on. */
  WANT: 1,
  /**
   * A message of LoT: int 3 QoS and flags as below, int 4 bytes of the topic, int 5 bytes of the payload, from
   * int 6 on topic and payload. Only one that is `GOVERNED` comes back: who in LoT wants another has it already.
   */
  PUBLISH: 2,
  /** Answer to MESSAGE: int 3 its number, int 4 1 if it was taken, 0 if there was no room for it. */
  TAKEN: 3,
  /** int 3: which `SESSION` records are wanted, a sum of `SessionHook`. */
  HOOKS: 4,
} as const

/** In int 3 of PUBLISH, and in the flags of an effect that publishes: the QoS. */
export const QOS_BITS = 3
/** Beside it: kept for later subscribers. */
export const RETAIN = 4
/** In int 3 of PUBLISH: kept for later subscribers, delivered to nobody now (KEEP TOPIC). */
export const ONLY_RETAIN = 8
/** In int 3 of PUBLISH: rules decide whether it goes out at all, and so the LoT thread gets it from the shard, too. */
export const GOVERNED = 16
/** In int 3 of PUBLISH: nothing happens unless its topic has a retained message. */
export const ONLY_IF_RETAINED = 32
/** Above it, in int 3 of a PUBLISH that is GOVERNED: runs before of which each triggered the next. */
export const DEPTH_SHIFT = 8

export const SessionHook = { CONNECT: 1, DISCONNECT: 2, SUBSCRIBE: 4 } as const

export interface SessionEvent {
  readonly hook: 'connect' | 'disconnect' | 'subscribe'
  readonly clientId: string
  /** Empty for anonymous clients. */
  readonly user: string
  /** `192.0.2.7:49152`, `[2001:db8::7]:49152`; the path of a Unix socket */
  readonly endpoint: string
  /** Of CONNECT. */
  readonly cleanSession?: boolean
  /** Of DISCONNECT: `NormalDisconnection`, `KeepAliveTimeout`, `ConnectionLost`, `SessionTakenOver`, … */
  readonly reason?: string
  /** Of SUBSCRIBE. */
  readonly filter?: string
  readonly qos?: 0 | 1 | 2
}

// ---------- calls ----------

/** Between one shard and the LoT thread. */
export interface LotLink {
  readonly toLot: SharedArrayBuffer
  readonly toShard: SharedArrayBuffer
}

export interface LotTask extends ThreadTask {
  /** By shard. */
  readonly shards: readonly LotLink[]
  readonly shardDoorbells: readonly SharedArrayBuffer[]
  /** Carries `LotEvent`s to the main thread. */
  readonly events: MessagePort
}

type MessagePort = ThreadTask['control']

/** What the LoT thread executes: text that has been parsed and checked. */
export interface RunnableDefinition {
  readonly kind: 'action' | 'model'
  readonly name: string
  /** One entity. */
  readonly source: string
  /** When a timer of it ran last; undefined if never or not known. */
  readonly lastRunMs?: number
}

export interface EntityRef {
  readonly kind: 'action' | 'model'
  readonly name: string
}

export interface EnvironmentChange {
  readonly secret: boolean
  readonly name: string
  /** undefined removes it. */
  readonly value: string | undefined
}

export interface PublishedMessage {
  readonly topic: string
  /** Text, or base64 after `base64:` where it is not UTF-8. */
  readonly payload: string
}

/** `-runAction`. */
export type RunRequest =
  | { readonly kind: 'inputs'; readonly inputs: Readonly<Record<string, unknown>> }
  | { readonly kind: 'message'; readonly topic: string; readonly payload: string }

/** What a run did. */
export interface RunReport {
  readonly action: string
  readonly traceId: string
  readonly trigger: {
    readonly topic: string | null
    readonly payload: string | null
    readonly clientId: string | null
  }
  readonly timing: { readonly startUtc: string; readonly endUtc: string; readonly durationMs: number }
  readonly published: readonly PublishedMessage[]
  readonly outputs?: Readonly<Record<string, string>>
  readonly warnings?: readonly string[]
  readonly result: 'success' | 'error'
  readonly error: string | null
  /** Line of the failing statement within the entity, and its text. */
  readonly line?: number
  readonly statement?: string
}

/** For `-lotDiagnostic`. */
export interface EntityState {
  readonly runs: number
  readonly failures: number
  /** Triggers that never ran: too much waited, or it was stopped, or changed what it takes, before their turn came. */
  readonly dropped: number
  /** Of one that was stopped: messages with QoS 1 or 2 that run when it is deployed anew. */
  readonly waiting: number
  /** undefined if it never ran. */
  readonly lastRunUtc: string | undefined
  readonly lastError: string | undefined
  /** Stopped because it harmed others; runs again when it is deployed anew. */
  readonly stopped: string | undefined
  /** For timers. */
  readonly nextRunUtc: string | undefined
  readonly averageRunMicros: number
}

/** Calls that the LoT thread answers. */
export interface LotApi extends ThreadApi {
  /** Puts definitions to work, each in place of one with the same kind and name; resolves when every shard knows. */
  install(definitions: readonly RunnableDefinition[]): Promise<void>
  remove(entities: readonly EntityRef[]): Promise<void>
  setEnvironment(changes: readonly EnvironmentChange[]): void
  /** Runs in order with the action's other runs. */
  runAction(name: string, request: RunRequest): Promise<RunReport>
  /** Traces of this action, or of all, go out until then; 0 ends it. */
  trace(action: string | undefined, untilMs: number): void
  state(entity: EntityRef): EntityState | undefined
  /** Answers `needValues`, with what all shards have. */
  giveValues(number: number, values: readonly InternalPublish[]): void
  /** The value that GET TOPIC would read; undefined if none is known. */
  lastValue(topic: string): Uint8Array | undefined
  /** A shard was started anew: it knows nothing of what is wanted. Resolves when it does. */
  replaceShard(index: number, link: LotLink): Promise<void>
}

/** What the LoT thread tells the main thread by itself. */
export type LotEvent =
  /** A publish to `$SYS/Coreflux/Command`, whose sender may send commands; undefined where LoT itself has sent it. */
  | { readonly kind: 'command'; readonly text: string; readonly identity: Identity | undefined }
  /** A publish to another topic below `$SYS/Coreflux` that clients may write. */
  | {
      readonly kind: 'write'
      readonly topic: string
      readonly payload: Uint8Array
      readonly identity: Identity | undefined
    }
  /** Retained messages are wanted as last values; to be answered with `giveValues`. */
  | { readonly kind: 'needValues'; readonly number: number; readonly filters: readonly string[] }
  /** A runner has begun. Its calls of what is outside of LoT come through this port (src/lot-runner/outside-calls.ts). */
  | { readonly kind: 'runner'; readonly port: MessagePort }
  /** KEEP ENV, DELETE SECRET, … of an action; already in force. */
  | { readonly kind: 'environment'; readonly changes: readonly EnvironmentChange[] }
  /** A timer ran: to be remembered over restarts. */
  | { readonly kind: 'timerRan'; readonly action: string; readonly atMs: number }

// ---------- definitions in the store ----------

/** A named piece of durable state of LoT: an entity, an environment value, … */
export interface StoredDefinition {
  /** `action/Name`, `env/NAME`, `project/…`; unique. At most 1,900 bytes of UTF-8. */
  readonly key: string
  readonly value: Uint8Array
}

export interface DefinitionChange {
  readonly key: string
  /** undefined deletes it. */
  readonly value: Uint8Array | undefined
}

export type LotConfig = BrokerConfig['lot']
export type { InternalPublish }
