/** Instances of models that this runner has open: what came back to it need not be read from text again. */
import type { InstanceState } from '../contracts/lot-batch.js'
import type { ModelInstance } from '../lot/program.js'
import type { ModelProgram } from './programs.js'

/** Instances kept; then all are opened anew. */
const INSTANCES_MAX = 2_000

interface OpenInstance {
  readonly program: ModelProgram
  readonly version: number
  readonly instance: ModelInstance
}

export class Instances {
  readonly #open = new Map<number, OpenInstance>()

  open(program: ModelProgram, state: InstanceState): ModelInstance {
    const held = this.#open.get(state.id)
    // taken out: if its run fails or this batch is lost, the state to go on from is the one before
    this.#open.delete(state.id)
    if (held !== undefined && held.program === program && held.version === state.version) return held.instance
    return program.model.open(state.captures, state.state)
  }

  /** @param version that its state will have when it comes again */
  keep(program: ModelProgram, id: number, version: number, instance: ModelInstance): void {
    if (this.#open.size >= INSTANCES_MAX) this.#open.clear()
    this.#open.set(id, { program, version, instance })
  }
}
