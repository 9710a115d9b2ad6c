/**
 * Between the LoT thread and its runners. A task is one batch: events of one entity, in order, in one buffer; the answer
 * is what came out of them, in another. Nothing is shared but memory that one side writes.
 */
import type { BrokerConfig } from '../config/schema.js'
import type { RunReport } from './lot.js'

// ---------- events; int 0 length in bytes, a multiple of 8 ----------

export const EventKind = {
  /** Topic and payload. */
  MESSAGE: 1,
  /** A timer or START: nothing besides. */
  MOMENT: 2,
  /** JSON of the session's words by name as the extra text. */
  SESSION: 3,
  /** JSON of a `RunRequest` as the extra text. */
  REQUEST: 4,
} as const

export const EVENT_KIND = 1
/** Runs before this one of which each triggered the next. */
export const EVENT_DEPTH = 2
/** Which of the entity's inputs the topic matches. */
export const EVENT_INPUT = 3
/** Index in `RunnerTask.instances`; -1 for none. */
export const EVENT_INSTANCE = 4
export const EVENT_TOPIC_BYTES = 5
export const EVENT_TOPIC_HASH = 6
export const EVENT_PAYLOAD_BYTES = 7
/** Of the extra text: client identifier of a traced message, or as its kind says. */
export const EVENT_EXTRA_BYTES = 8
/** Of a REQUEST: what the answer names. Of a MESSAGE: 1 if it was published with QoS 1 or 2, and outlives a stop. */
export const EVENT_NUMBER = 9
/** Topic, then payload, then extra text lie behind. */
export const EVENT_HEADER_BYTES = 40

// ---------- effects; int 0 length in bytes, a multiple of 8 ----------

export const EffectKind = {
  PUBLISH: 1,
  KEEP: 2,
  /** KEEP without a value. */
  CLEAR: 3,
  /** The topic is JSON of the effect without its payload; the payload is that of `routeEvent`. */
  OTHER: 4,
} as const

export const EFFECT_KIND = 1
/** QoS (`QOS_BITS`), `RETAIN` as on the way to a shard, `BY_PUBLISH_MODEL` */
export const EFFECT_FLAGS = 2
/** Of the run that has it. */
export const EFFECT_DEPTH = 3
export const EFFECT_TOPIC_HASH = 4
export const EFFECT_TOPIC_BYTES = 5
export const EFFECT_PAYLOAD_BYTES = 6
/** Topic, then payload lie behind. */
export const EFFECT_HEADER_BYTES = 32
/** In EFFECT_FLAGS: rules of Publish may govern it (`rules.governModelPublishes`). */
export const BY_PUBLISH_MODEL = 8

// ---------- progress: words of a task in shared memory, which outlive a runner that dies ----------

/** Byte offset of the event that runs. */
export const PROGRESS_EVENT = 0
/** 1 while the run waits for something outside. */
export const PROGRESS_IN_CALL = 1
/** Milliseconds that ended calls of this batch have taken. */
export const PROGRESS_CALLED_MS = 2
/** 1 once the runner has begun with the batch: a new thread takes a while to get there. */
export const PROGRESS_STARTED = 3
export const PROGRESS_INTS = 16

// ---------- tasks ----------

/** What all runners are given at their start. */
export interface RunnerSetup {
  readonly config: Pick<BrokerConfig, 'lot' | 'models' | 'compat' | 'python'>
  readonly clock: SharedArrayBuffer
  /** `PROGRESS_INTS` words for each task that can be in flight. */
  readonly progress: SharedArrayBuffer
}

/** State of one instance of a model, sent along with the events that concern it. */
export interface InstanceState {
  readonly id: number
  readonly captures: readonly string[]
  /** Of `state`: a runner that has an instance of this version open goes on with it. */
  readonly version: number
  readonly state: string | undefined
}

export interface RunnerTask {
  /** Place in the progress memory. */
  readonly slot: number
  /** Unique to this deployment of the entity. */
  readonly generation: number
  readonly kind: 'action' | 'model'
  readonly name: string
  /** Of a `SharedBook`: definitions, environment and secrets. */
  readonly book: SharedArrayBuffer
  /** Of `SharedValues`. */
  readonly values: SharedArrayBuffer
  readonly events: ArrayBuffer
  /** Byte offsets of the first event, and behind the last one. */
  readonly from: number
  readonly to: number
  /** Of a model. */
  readonly instances: readonly InstanceState[]
  readonly isTraced: boolean
}

/** A failed run, as its entity's Error topic tells it. */
export interface RunFailure {
  readonly message: string
  readonly line: number | undefined
  readonly statement: string | undefined
  readonly traceId: string
  readonly timestampUtc: string
}

export interface RunnerResult {
  /** Byte offset of the first event that did not run: time was up, or the entity was deployed anew meanwhile. */
  readonly next: number
  readonly runs: number
  readonly failures: number
  /** The last one. */
  readonly failure: RunFailure | undefined
  readonly effects: ArrayBuffer
  readonly effectsBytes: number
  /** By place in the task's `instances`; undefined where nothing ran. */
  readonly states: readonly (string | undefined)[]
  readonly reports: readonly { readonly number: number; readonly report: RunReport }[]
  /** JSON of `RunReport`. */
  readonly traces: readonly string[]
  readonly micros: number
}

/** Names in the `SharedBook`: the kind, a blank, the name. `parent` is a model that is gone, but others inherit from it. */
export type BookKind = 'action' | 'model' | 'parent' | 'env' | 'secret'
