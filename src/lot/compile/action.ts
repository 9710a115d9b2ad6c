/** An action as a program. */
import type { CompiledAction, Effect, Limits, Occasion, World } from '../program.js'
import type { Source } from '../source.js'
import type { ActionNode, InputType } from '../tree.js'
import { Json, type JsonData, textOf, type Value } from '../values/value.js'
import { makeActionScope } from './action-scope.js'
import { toInput } from './call-statements.js'
import { Run, runtimeError, UNSET } from './run.js'
import { compileBlock, type Execute } from './statement.js'

/** @throws LotCompileError for what the checker refuses too: a regular expression or topic that cannot be */
export function compileAction(node: ActionNode, source: Source, limits: Limits): CompiledAction {
  const scope = makeActionScope(source)
  const inputs = node.inputs.map(({ name, type }) => ({ name: name.text, type, slot: scope.slotOf(name.text) }))
  const execute = compileBlock(node.body, scope)
  const outputs = node.outputs.map((name) => ({ name: name.text, slot: scope.slotOf(name.text) }))
  return new Action(node.name.text, inputs, outputs, execute, scope.slotCount(), source, limits)
}

interface Slot {
  readonly name: string
  readonly slot: number
}

const NO_OCCASION: Occasion = { topic: '', payload: undefined, captures: [] }

class Action implements CompiledAction {
  readonly outputs: readonly string[]
  /** Copied for each run. */
  readonly #unset: readonly Value[]

  constructor(
    readonly name: string,
    readonly inputs: readonly (Slot & { readonly type: InputType })[],
    readonly outputSlots: readonly Slot[],
    readonly execute: Execute,
    slotCount: number,
    readonly source: Source,
    readonly limits: Limits,
  ) {
    this.outputs = outputSlots.map((output) => output.name)
    this.#unset = Array<Value>(slotCount).fill(UNSET)
  }

  run(world: World, occasion: Occasion, effects: Effect[], warnings: string[]): void {
    this.#do(
      new Run(world, occasion, effects, warnings, this.limits, this.#unset.slice(), effects.length, 0, undefined),
    )
  }

  invoke(
    world: World,
    inputs: Readonly<Record<string, unknown>>,
    effects: Effect[],
    warnings: string[],
  ): Record<string, string> {
    const slots = this.#unset.slice()
    const run = new Run(world, NO_OCCASION, effects, warnings, this.limits, slots, effects.length, 0, undefined)
    for (const { name, type, slot } of this.inputs) {
      if (!Object.hasOwn(inputs, name)) run.warn(`action "${this.name}" is called without ${name}`)
      else slots[slot] = toInput(givenValue(inputs[name]), type)
      if (slots[slot] === UNSET) slots[slot] = toInput(undefined, type)
    }
    for (const name of Object.keys(inputs)) {
      if (!this.inputs.some((input) => input.name === name)) run.warn(`action "${this.name}" has no input ${name}`)
    }
    this.#do(run)
    return Object.fromEntries(this.#results(run).map((value, index) => [this.outputs[index], textOf(value)]))
  }

  perform(caller: Run, inputs: readonly Value[]): Value[] {
    if (caller.depth + 1 > this.limits.callDepthMax) {
      throw new Error(`calls of actions are nested deeper than ${this.limits.callDepthMax}`)
    }
    const slots = this.#unset.slice()
    for (let i = 0; i < this.inputs.length; i++) slots[this.inputs[i].slot] = inputs[i]
    const run = caller.callee(this.limits, slots)
    this.#do(run)
    return this.#results(run)
  }

  #do(run: Run): void {
    const begin = run.effects.length
    try {
      this.execute(run)
    } catch (error) {
      run.effects.length = begin
      throw runtimeError(error, this.source, run.at)
    }
  }

  #results(run: Run): Value[] {
    return this.outputSlots.map(({ name, slot }) => {
      const value = run.slots[slot]
      if (value !== UNSET) return value
      run.warn(`output ${name} of action "${this.name}" is never set`)
      return undefined
    })
  }
}

/** What `-runAction` was given in JSON. */
function givenValue(given: unknown): Value {
  if (given === null || given === undefined) return undefined
  if (typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean') return given
  return Json.ofData(given as JsonData)
}
