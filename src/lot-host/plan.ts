/** What the LoT thread must know of an entity to run it, taken from its text. */
import type { RunnableDefinition } from '../contracts/lot.js'
import { compileModel } from '../lot/compile/model.js'
import { readFilters } from '../lot/compile/reads.js'
import type { FindModel } from '../lot/program.js'
import { Source } from '../lot/source.js'
import { type ParseOptions, parseProgram } from '../lot/syntax/parse.js'
import type { ActionNode, ModelNode, Trigger } from '../lot/tree.js'

/** A topic whose messages become events of the entity. */
export interface PlannedInput {
  readonly filter: string
  /** Of models: index among the inputs of the program. */
  readonly index: number
  /** Of models: each instance that exists gets the message. */
  readonly isShared: boolean
  /** Of models: for each capture of the instance, where it is among the captures of the filter. */
  readonly order: readonly number[]
}

export type TimerTrigger = Extract<Trigger, { kind: 'every' | 'days' | 'timestamp' }>
export type SessionTrigger = Extract<Trigger, { kind: 'connect' | 'disconnect' | 'subscribe' }>

export interface Plan {
  readonly inputs: readonly PlannedInput[]
  /** Filters of topics that it may ask the last values of. */
  readonly reads: readonly string[]
  /** Only payloads that differ from the one before on the same topic. */
  readonly isOnChange: boolean
  readonly timer: TimerTrigger | undefined
  readonly session: SessionTrigger | undefined
  readonly isAtStart: boolean
}

const NOTHING: Plan = {
  inputs: [],
  reads: [],
  isOnChange: false,
  timer: undefined,
  session: undefined,
  isAtStart: false,
}

export interface ParsedDefinition {
  readonly node: ActionNode | ModelNode
  readonly source: Source
}

/** @throws Error: texts are checked before they come here */
export function parseDefinition(definition: RunnableDefinition, compat: ParseOptions['compat']): ParsedDefinition {
  const { kind, name, source: text } = definition
  const source = new Source(`${kind} ${name}`, text)
  const { program, diagnostics } = parseProgram(source, { compat })
  const node = program.entities.find((entity) => entity.kind === kind && entity.name.text === name)
  if (node?.kind === 'action' || node?.kind === 'model') return { node, source }
  throw new Error(diagnostics[0]?.message ?? `the text does not define ${kind} ${name}`)
}

export function planAction(node: ActionNode): Plan {
  const plan = { ...NOTHING, reads: readsOf(node) }
  const { trigger } = node
  switch (trigger?.kind) {
    case undefined:
      return plan
    case 'every':
    case 'days':
    case 'timestamp':
      return { ...plan, timer: trigger }
    case 'topic':
    case 'change': {
      const input = { filter: trigger.filter.value, index: 0, isShared: false, order: [] }
      return { ...plan, inputs: [input], isOnChange: trigger.kind === 'change' }
    }
    case 'start':
      return { ...plan, isAtStart: true }
    default:
      return { ...plan, session: trigger }
  }
}

/** @throws LotCompileError if it has a parent that is not there */
export function planModel(
  node: ModelNode,
  source: Source,
  find: FindModel,
  plainOutput: 'both' | 'json' | 'fields',
): Plan {
  const { inputs } = compileModel(node, source, find, { plainOutput })
  const planned = inputs.flatMap(({ filter, isTrigger, isShared, order }, index) =>
    isShared && !isTrigger ? [] : [{ filter, index, isShared, order }],
  )
  // an instance that has not received anything yet asks for the last values of its own topics too
  const reads = inputs.filter(({ isTrigger }) => !isTrigger).map(({ filter }) => filter)
  return { ...NOTHING, inputs: planned, reads: [...new Set([...reads, ...readsOf(node)])] }
}

/** A topic that is not known beforehand may begin with `$` too, which `#` does not match. */
function readsOf(node: ActionNode | ModelNode): string[] {
  return readFilters(node).flatMap((filter) => (filter === '#' ? ['#', '$SYS/#'] : [filter]))
}
