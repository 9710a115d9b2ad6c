/** What runs of one batch see: the state of the broker, and before it what earlier runs of the batch have done. */
import { randomUUID } from 'node:crypto'
import { type Clock, SharedClock } from '../base/clock.js'
import { SharedValuesReader } from '../base/shared-values.js'
import {
  PROGRESS_CALLED_MS,
  PROGRESS_IN_CALL,
  PROGRESS_INTS,
  type RunnerSetup,
  type RunnerTask,
} from '../contracts/lot-batch.js'
import type { CompiledAction, CompiledModel, Effect, OutsideCall, World } from '../lot/program.js'
import type { Programs } from './programs.js'
import { OutgoingTopics } from './topic-texts.js'

/** Answers what a thread cannot answer by itself; blocks until it is there. */
export interface Outside {
  /** @throws Error for the user */
  call(request: OutsideCall): string
}

export class RunWorld implements World {
  readonly #clock: Clock
  readonly #topics = new OutgoingTopics()
  readonly #written = new Map<string, Uint8Array | undefined>()
  readonly #environment = new Map<string, string | undefined>()
  readonly #secretsRead = new Set<string>()
  #values: SharedValuesReader | undefined
  #remembers = false
  readonly #progress: Int32Array
  #slot = 0

  constructor(
    setup: RunnerSetup,
    readonly programs: Programs,
    readonly outside: Outside,
    readonly elapsedMs: () => number,
  ) {
    this.#clock = new SharedClock(setup.clock)
    this.#progress = new Int32Array(setup.progress)
  }

  /** @param readsTopics whether it matters what earlier runs wrote */
  begin(task: RunnerTask, readsTopics: boolean): void {
    if (this.#values?.memory !== task.values) this.#values = new SharedValuesReader(task.values)
    this.#remembers = readsTopics
    this.#slot = task.slot
  }

  /** The secrets that runs have read since `forgetSecrets`: they are for the run, not for those who read of it. */
  get secretsRead(): ReadonlySet<string> {
    return this.#secretsRead
  }

  forgetSecrets(): void {
    if (this.#secretsRead.size > 0) this.#secretsRead.clear()
  }

  /** A run ended well. */
  remember(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'environment') this.#environment.set(environmentKey(effect.secret, effect.name), effect.value)
      else if (this.#remembers && (effect.kind === 'publish' || effect.kind === 'keep'))
        this.#written.set(effect.topic, effect.payload)
    }
  }

  end(): void {
    this.#written.clear()
    this.#environment.clear()
  }

  now(): number {
    return this.#clock.now()
  }

  random(): number {
    return Math.random()
  }

  uuid(): string {
    return randomUUID()
  }

  lastValue(topic: string): Uint8Array | undefined {
    if (this.#written.size > 0 && this.#written.has(topic)) return this.#written.get(topic)
    const { bytes, hash } = this.#topics.encode(topic)
    return this.#values?.find(bytes, 0, bytes.length, hash)
  }

  environment(name: string): string | undefined {
    return this.#lookUp(false, name)
  }

  secret(name: string): string | undefined {
    const value = this.#lookUp(true, name)
    if (value) this.#secretsRead.add(value)
    return value
  }

  model(name: string): CompiledModel | undefined {
    return this.programs.model(name)?.model
  }

  action(name: string): CompiledAction | undefined {
    return this.programs.action(name)?.action
  }

  /** The time that it takes is the other side's: the watchdog leaves it out. */
  call(request: OutsideCall): string {
    const words = this.#slot * PROGRESS_INTS
    const begun = this.elapsedMs()
    Atomics.store(this.#progress, words + PROGRESS_IN_CALL, 1)
    try {
      return this.outside.call(request)
    } finally {
      Atomics.add(this.#progress, words + PROGRESS_CALLED_MS, Math.round(this.elapsedMs() - begun))
      Atomics.store(this.#progress, words + PROGRESS_IN_CALL, 0)
    }
  }

  #lookUp(secret: boolean, name: string): string | undefined {
    const key = environmentKey(secret, name)
    if (this.#environment.has(key)) return this.#environment.get(key)
    return this.programs.text(secret ? 'secret' : 'env', name)
  }
}

function environmentKey(secret: boolean, name: string): string {
  return `${secret ? 'secret' : 'env'} ${name}`
}
