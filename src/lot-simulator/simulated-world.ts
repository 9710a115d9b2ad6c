/** What runs see in a simulation: a clock that stands still, last values, an environment, and numbers that can be repeated. */
import type { CompiledAction, CompiledModel, Effect, OutsideCall, World } from '../lot/program.js'
import type { Programs } from '../lot-runner/programs.js'

/** @throws Error for the user */
export type AnswerCall = (request: OutsideCall) => string

export class SimulatedWorld implements World {
  readonly values = new Map<string, Uint8Array>()
  readonly environmentValues = new Map<string, string>()
  readonly secrets = new Map<string, string>()
  nowMs: number
  #seed: number

  constructor(
    readonly programs: Programs,
    startMs: number,
    readonly answer: AnswerCall,
    seed: number,
  ) {
    this.nowMs = startMs
    this.#seed = seed
  }

  now(): number {
    return this.nowMs
  }

  /** A generator of 32 bits with a Weyl sequence: the same numbers for the same seed. */
  random(): number {
    this.#seed = (this.#seed + 0x9e3779b9) | 0
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296
  }

  uuid(): string {
    const digits = Array.from({ length: 32 }, () => Math.floor(this.random() * 16).toString(16))
    digits[12] = '4'
    digits[16] = '89ab'[Math.floor(this.random() * 4)]
    return digits.join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }

  lastValue(topic: string): Uint8Array | undefined {
    return this.values.get(topic)
  }

  environment(name: string): string | undefined {
    return this.environmentValues.get(name)
  }

  secret(name: string): string | undefined {
    return this.secrets.get(name)
  }

  model(name: string): CompiledModel | undefined {
    return this.programs.model(name)?.model
  }

  action(name: string): CompiledAction | undefined {
    return this.programs.action(name)?.action
  }

  call(request: OutsideCall): string {
    return this.answer(request)
  }

  /** What an effect changes here, but for messages. */
  apply(effect: Effect): void {
    if (effect.kind === 'keep') setOrDelete(this.values, effect.topic, effect.payload)
    else if (effect.kind === 'environment') {
      setOrDelete(effect.secret ? this.secrets : this.environmentValues, effect.name, effect.value)
    }
  }
}

function setOrDelete<Value>(map: Map<string, Value>, key: string, value: Value | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}
