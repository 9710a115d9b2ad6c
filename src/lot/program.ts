/**
 * What compiled LoT looks like from outside: the world that a run sees, and the effects that come out of it. The language
 * performs nothing by itself; whoever runs a program applies its effects, in order, after the run has ended well. A run
 * that fails has no effects.
 */
import type { Run } from './compile/run.js'
import type { Source } from './source.js'
import type { InputType, ModelNode, SessionWord } from './tree.js'
import type { Value } from './values/value.js'

/** What a run may ask for. Every call answers at once; `call` blocks the thread. */
export interface World {
  /** Milliseconds since 1970 (UTC). */
  now(): number
  /** [0, 1) */
  random(): number
  /** Version 4, lower case. */
  uuid(): string
  /** The last payload known for a topic, from PUBLISH or KEEP; the bytes are the caller's to keep. */
  lastValue(topic: string): Uint8Array | undefined
  environment(name: string): string | undefined
  secret(name: string): string | undefined
  /** The current definition, so that PUBLISH MODEL never uses an old one. */
  model(name: string): CompiledModel | undefined
  /** For CALL ACTION. */
  action(name: string): CompiledAction | undefined
  /**
   * Asks something outside of this thread, and waits for it.
   * @throws Error whose message is for the user: an exception in Python, a time limit, a service that is not there
   */
  call(request: OutsideCall): string
}

export type OutsideCall =
  /** `arguments` is a JSON array. The answer is text: JSON where it is no string. */
  | { readonly kind: 'python'; readonly target: string; readonly arguments: string }
  /** `arguments` is a JSON object. */
  | { readonly kind: 'mcp'; readonly target: string; readonly arguments: string }
  | {
      readonly kind: 'llm' | 'agent'
      readonly route: string
      readonly method: string
      readonly arguments: string
    }
  | {
      /** The answer is a JSON object; empty for none. */
      readonly kind: 'getModel'
      readonly model: string
      readonly route: string
      readonly field: string
      readonly operator: string
      readonly value: string
    }
  | {
      /** FETCH FROM: the answer is a JSON array of rows. */
      readonly kind: 'fetch'
      readonly route: string
      readonly table: string
      readonly where: { readonly field: string; readonly operator: string; readonly value: string } | undefined
      readonly limit: number | undefined
    }

/** What made a run begin. */
export interface Occasion {
  /** Empty where no topic is involved. */
  readonly topic: string
  /**
   * undefined where there is none: timers, START, sessions. Effects of an action may be made of these very bytes; an
   * instance of a model keeps them beyond the run.
   */
  readonly payload: Uint8Array | undefined
  /** Levels that the `+` (and `{name}`) of the trigger's filter stand for, in order. */
  readonly captures: readonly string[]
  /** Of ON CONNECT, DISCONNECT and SUBSCRIBE. */
  readonly session?: Readonly<Partial<Record<SessionWord, string>>>
}

export type Effect =
  | {
      readonly kind: 'publish'
      readonly topic: string
      readonly payload: Uint8Array
      readonly qos: 0 | 1 | 2
      readonly retain: boolean
      /** By the statement PUBLISH MODEL. */
      readonly byPublishModel?: true
    }
  /** undefined clears the value. */
  | { readonly kind: 'keep'; readonly topic: string; readonly payload: Uint8Array | undefined }
  /** undefined deletes it. */
  | {
      readonly kind: 'environment'
      readonly secret: boolean
      readonly name: string
      readonly value: string | undefined
    }
  /** STORE IN: one record for a storage route. `record` is a JSON object. */
  | { readonly kind: 'store'; readonly route: string; readonly table: string; readonly record: string }
  /** TRIGGER … TO route. */
  | {
      readonly kind: 'routeEvent'
      readonly route: string
      readonly target: string
      readonly isMapping: boolean
      readonly payload: Uint8Array
    }

/** A failure that belongs to the user's text. `line` and `column` count from 1 within the entity's text. */
export class LotRuntimeError extends Error {
  override readonly name = 'LotRuntimeError'
  constructor(
    message: string,
    readonly line: number,
    readonly column: number,
    /** The source line, trimmed. */
    readonly statement: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** A text that is well formed but cannot become a program; the checker should have said so before. */
export class LotCompileError extends Error {
  override readonly name = 'LotCompileError'
  constructor(
    message: string,
    readonly line: number,
    readonly column: number,
  ) {
    super(message)
  }
}

/** Bounds of one run. */
export interface Limits {
  /** Of one loop each time it is entered. */
  readonly loopIterationsMax: number
  readonly callDepthMax: number
  /** Of all loops of one run together. */
  readonly loopMsMax: number
}

export interface CompiledAction {
  readonly name: string
  readonly inputs: readonly { readonly name: string; readonly type: InputType }[]
  readonly outputs: readonly string[]
  /**
   * One run.
   * @param effects appended to; as it was if the run fails
   * @param warnings appended to: unset variables, missing arguments
   * @throws LotRuntimeError
   */
  run(world: World, occasion: Occasion, effects: Effect[], warnings: string[]): void
  /** For `-runAction`. @param inputs JSON values by name @returns text of each output by name. @throws LotRuntimeError */
  invoke(
    world: World,
    inputs: Readonly<Record<string, unknown>>,
    effects: Effect[],
    warnings: string[],
  ): Record<string, string>
  /** CALL ACTION. @param inputs as `inputs` has them, already cast @returns a value for each output. @throws anything */
  perform(caller: Run, inputs: readonly Value[]): Value[]
}

/** PUBLISH MODEL, made ready for the fields that one statement assigns. */
export interface ModelTemplate {
  readonly retain: boolean
  readonly qos: 0 | 1 | 2
  /** One JSON object; fields that are not assigned fill themselves. @param values in the order of the paths */
  json(run: Run, values: readonly Value[]): string
}

/**
 * A topic that a model reads. How messages reach instances: the levels that the `+` and `{name}` of the trigger stand for
 * tell the instance. An input whose filter has all of them belongs to one instance: its messages go there, triggers and
 * others, and the instance keeps the payload. An input that has fewer (or none) is shared: its value is
 * `World.lastValue` for every instance; nothing is delivered, unless it is a trigger: then each instance that exists
 * receives the message. Until an instance has received something on an input of its own, it too asks `World.lastValue`.
 */
export interface ModelInput {
  /** With `+` for each `{name}`. */
  readonly filter: string
  readonly isTrigger: boolean
  readonly isShared: boolean
  /** For each capture of the instance, where it is among the captures of `filter`; empty if shared. */
  readonly order: readonly number[]
}

/**
 * A model with its parents resolved. Instances (one for each tuple of captures) keep their state outside, as text that
 * means something to the model only, so that any thread can go on with them.
 */
export interface CompiledModel {
  readonly name: string
  /** All topics that fields read; of a reception model, its own topic as trigger. */
  readonly inputs: readonly ModelInput[]
  readonly isReception: boolean
  readonly retain: boolean
  readonly qos: 0 | 1 | 2
  /** @param captures of the instance @param state what `save` gave; undefined for a fresh instance */
  open(captures: readonly string[], state: string | undefined): ModelInstance
  /**
   * PUBLISH MODEL, for fields assigned by path.
   * @throws Error if the model has no such field
   */
  template(paths: readonly (readonly string[])[]): ModelTemplate
}

export interface ModelInstance {
  /**
   * A message on one of the model's inputs. Publishes if it is a trigger; a message that is none of the instance's is
   * of no account.
   * @throws LotRuntimeError; the values of the fields and `effects` are then as they were
   */
  receive(world: World, occasion: Occasion, effects: Effect[]): void
  /** What `open` takes: the values of the fields, and of the topics that are the instance's own. */
  save(): string
}

export interface ModelOptions {
  /** What a model that is not COLLAPSED publishes. */
  readonly plainOutput: 'both' | 'json' | 'fields'
}

/** Where parents come from. */
export type FindModel = (name: string) => { readonly node: ModelNode; readonly source: Source } | undefined
