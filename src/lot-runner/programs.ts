/** The programs of one runner: compiled from the book when they are first asked for, and again when it has changed. */
import { BrokerError } from '../base/errors.js'
import { SharedBookReader } from '../base/shared-book.js'
import type { BookKind, RunnerSetup } from '../contracts/lot-batch.js'
import { compileAction } from '../lot/compile/action.js'
import { compileModel } from '../lot/compile/model.js'
import { readFilters, references } from '../lot/compile/reads.js'
import type { CompiledAction, CompiledModel, Limits } from '../lot/program.js'
import { Source } from '../lot/source.js'
import { parseProgram } from '../lot/syntax/parse.js'
import type { ActionNode, Entity, ModelNode } from '../lot/tree.js'

/** Programs kept; then all are compiled anew. */
const PROGRAMS_MAX = 4_096
/** Milliseconds that loops may take: what appendix D recommends, and less than the watchdog's patience. */
const LOOP_MS_MAX = 5_000
const LOOP_SHARE = 0.8

export interface ActionProgram {
  readonly kind: 'action'
  readonly generation: number
  readonly action: CompiledAction
  /** Of its trigger; undefined if that is no topic. */
  readonly filter: string | undefined
  readonly readsTopics: boolean
}

export interface ModelProgram {
  readonly kind: 'model'
  readonly generation: number
  readonly model: CompiledModel
  readonly readsTopics: boolean
}

export type Program = ActionProgram | ModelProgram

export class Programs {
  readonly #book = new SharedBookReader()
  readonly #actions = new Map<string, ActionProgram>()
  readonly #models = new Map<string, ModelProgram>()
  readonly #nodes = new Map<string, { readonly node: ModelNode; readonly source: Source } | undefined>()
  readonly #limits: Limits

  constructor(readonly setup: RunnerSetup) {
    const { loopIterationsMax, callDepthMax, runMsMax } = setup.config.lot
    const loopMsMax = Math.min(LOOP_MS_MAX, runMsMax * LOOP_SHARE)
    this.#limits = { loopIterationsMax, callDepthMax, loopMsMax }
  }

  follow(memory: SharedArrayBuffer): void {
    this.#book.follow(memory, (name) => this.#forget(name))
  }

  text(kind: BookKind, name: string): string | undefined {
    return this.#book.get(`${kind} ${name}`)?.text
  }

  /** @returns undefined if it is not deployed (any more) @throws Error if it cannot be compiled */
  find(kind: 'action' | 'model', name: string): Program | undefined {
    return kind === 'action' ? this.action(name) : this.model(name)
  }

  action(name: string): ActionProgram | undefined {
    const known = this.#actions.get(name)
    if (known !== undefined) return known
    const entry = this.#book.get(`action ${name}`)
    if (entry === undefined) return undefined
    const { node, source } = parseEntity(entry.text, 'action', name, this.setup.config.compat)
    const trigger = (node as ActionNode).trigger
    const program: ActionProgram = {
      kind: 'action',
      generation: entry.number,
      action: compileAction(node as ActionNode, source, this.#limits),
      filter: trigger?.kind === 'topic' || trigger?.kind === 'change' ? trigger.filter.value : undefined,
      readsTopics: mayReadTopics(node as ActionNode),
    }
    if (this.#actions.size >= PROGRAMS_MAX) this.#actions.clear()
    this.#actions.set(name, program)
    return program
  }

  model(name: string): ModelProgram | undefined {
    const known = this.#models.get(name)
    if (known !== undefined) return known
    const own = this.#node(name)
    const entry = this.#book.numberOf(`model ${name}`)
    if (own === undefined || entry === undefined) return undefined
    const { plainOutput } = this.setup.config.models
    const model = compileModel(own.node, own.source, (parent) => this.#node(parent), { plainOutput })
    const program: ModelProgram = {
      kind: 'model',
      generation: entry,
      model,
      readsTopics: mayReadTopics(own.node),
    }
    if (this.#models.size >= PROGRAMS_MAX) this.#models.clear()
    this.#models.set(name, program)
    return program
  }

  #node(name: string): { readonly node: ModelNode; readonly source: Source } | undefined {
    if (!this.#nodes.has(name)) {
      const entry = this.#book.get(`model ${name}`) ?? this.#book.get(`parent ${name}`)
      const parsed = entry && parseEntity(entry.text, 'model', name, this.setup.config.compat)
      this.#nodes.set(name, parsed && { node: parsed.node as ModelNode, source: parsed.source })
    }
    return this.#nodes.get(name)
  }

  #forget(bookName: string): void {
    const blank = bookName.indexOf(' ')
    const kind = bookName.slice(0, blank) as BookKind
    if (kind === 'action') this.#actions.delete(bookName.slice(blank + 1))
    if (kind !== 'model' && kind !== 'parent') return
    // others may have it for a parent
    this.#models.clear()
    this.#nodes.clear()
  }
}

/** By itself, or through an action that it calls or a model that it publishes or inherits from. */
function mayReadTopics(node: ActionNode | ModelNode): boolean {
  if (readFilters(node).length > 0) return true
  const { actions, models } = references(node)
  return actions.length > 0 || models.length > 0
}

/** @throws BrokerError INTERNAL: the text was checked before it came here */
export function parseEntity(
  text: string,
  kind: 'action' | 'model',
  name: string,
  compat: 'v1' | 'v2',
): { readonly node: Entity; readonly source: Source } {
  const source = new Source(`${kind} ${name}`, text)
  const { program, diagnostics } = parseProgram(source, { compat })
  const node = program.entities.find((entity) => entity.kind === kind && entity.name.text === name)
  if (node !== undefined) return { node, source }
  const reason = diagnostics[0]?.message ?? `the text does not define ${kind} ${name}`
  throw new BrokerError('INTERNAL', { reason })
}
