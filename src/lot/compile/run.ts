/** One run of an action, or one evaluation of a model: all that compiled closures read and write. */

import { messageOf } from '../../base/errors.js'
import { type Effect, type Limits, LotRuntimeError, type Occasion, type World } from '../program.js'
import type { Source } from '../source.js'
import { OuterText, type Value } from '../values/value.js'

/** A variable that was never set; no value that a text can make. */
export const UNSET = new OuterText(new Uint8Array(0))

/** More are not told: a loop would fill the memory with them. */
const WARNINGS_MAX = 20
/** Below this many effects, looking through them is faster than keeping a map. */
const SCANNED_EFFECTS_MAX = 12

export class Run {
  /** Offset into the entity's text of what is being done. */
  at = 0
  /** What RESULT means: the last SET value, or the value in a pipeline. */
  result: Value = undefined
  /** Milliseconds of `performance.now()`; 0 until the first loop begins. */
  loopEndsAt = 0
  /** Of models: the values of the fields at the evaluation before. */
  previous: readonly Value[] = NONE
  /** Of models: the payload of each topic that fields read, as far as the instance was told. */
  received: readonly (Uint8Array | undefined)[] = NO_PAYLOADS
  /** Of models: the topics that fields read; undefined where a level is not known. */
  topics: readonly (string | undefined)[] = NO_TOPICS
  readonly #root: Run
  #payload: OuterText | undefined
  #written: Map<string, Uint8Array | undefined> | undefined
  #writtenUpTo = 0

  /**
   * @param slots variables of an action, fields of a model
   * @param firstEffect effects before it are of earlier runs
   */
  constructor(
    readonly world: World,
    readonly occasion: Occasion,
    readonly effects: Effect[],
    readonly warnings: string[] | undefined,
    readonly limits: Limits,
    readonly slots: Value[],
    readonly firstEffect: number,
    readonly depth: number,
    caller: Run | undefined,
  ) {
    this.#root = caller === undefined ? this : caller.#root
  }

  /** The run of an action that this one calls: same occasion, same effects, same time for loops. */
  callee(limits: Limits, slots: Value[]): Run {
    return new Run(
      this.world,
      this.occasion,
      this.effects,
      this.warnings,
      limits,
      slots,
      this.firstEffect,
      this.depth + 1,
      this,
    )
  }

  get payload(): OuterText | undefined {
    if (this.#payload === undefined && this.occasion.payload !== undefined) {
      this.#payload = new OuterText(this.occasion.payload)
    }
    return this.#payload
  }

  /** GET TOPIC: what this run wrote, what fired it, what is known. */
  topicValue(topic: string): OuterText | undefined {
    const { effects, firstEffect } = this
    if (effects.length > firstEffect) {
      const written = effects.length - firstEffect > SCANNED_EFFECTS_MAX ? this.#root.#lookUp(topic) : this.#scan(topic)
      if (written !== undefined) return written.payload === undefined ? undefined : new OuterText(written.payload)
    }
    if (topic === this.occasion.topic && this.occasion.payload !== undefined) return this.payload
    const known = this.world.lastValue(topic)
    return known === undefined ? undefined : new OuterText(known)
  }

  #scan(topic: string): { readonly payload: Uint8Array | undefined } | undefined {
    for (let i = this.effects.length - 1; i >= this.firstEffect; i--) {
      const effect = this.effects[i]
      if ((effect.kind === 'publish' || effect.kind === 'keep') && effect.topic === topic) return effect
    }
    return undefined
  }

  #lookUp(topic: string): { readonly payload: Uint8Array | undefined } | undefined {
    this.#written ??= new Map()
    for (let i = Math.max(this.#writtenUpTo, this.firstEffect); i < this.effects.length; i++) {
      const effect = this.effects[i]
      if (effect.kind === 'publish' || effect.kind === 'keep') this.#written.set(effect.topic, effect.payload)
    }
    this.#writtenUpTo = this.effects.length
    return this.#written.has(topic) ? { payload: this.#written.get(topic) } : undefined
  }

  /** The same order for GET ENV and GET SECRET. */
  environment(secret: boolean, name: string): string | undefined {
    for (let i = this.effects.length - 1; i >= this.firstEffect; i--) {
      const effect = this.effects[i]
      if (effect.kind === 'environment' && effect.secret === secret && effect.name === name) return effect.value
    }
    return secret ? this.world.secret(name) : this.world.environment(name)
  }

  warn(message: string): void {
    const { warnings } = this
    if (warnings !== undefined && warnings.length < WARNINGS_MAX && !warnings.includes(message)) warnings.push(message)
  }

  /** @throws Error when the loops of this run, those of called actions included, have used up their time */
  checkLoopTime(): void {
    const root = this.#root
    const now = performance.now()
    if (root.loopEndsAt === 0) root.loopEndsAt = now + root.limits.loopMsMax
    else if (now > root.loopEndsAt) throw new Error(`loops ran longer than ${root.limits.loopMsMax} ms`)
  }
}

const NONE: readonly Value[] = []
const NO_TOPICS: readonly (string | undefined)[] = []
const NO_PAYLOADS: readonly (Uint8Array | undefined)[] = []

/** Tells where in the text a run was when something was thrown. */
export function runtimeError(thrown: unknown, source: Source, at: number): LotRuntimeError {
  const { line, column } = source.positionOf(at)
  return new LotRuntimeError(messageOf(thrown), line, column, source.lineText(line).trim(), { cause: thrown })
}
