/** Fills the slots of a model, field by field. */
import type { Limits } from '../program.js'
import type { JsonData, Value } from '../values/value.js'
import { NO_PREVIOUS } from '../values/value.js'
import type { ModelProgram } from './model.js'
import { fetchedValue } from './model-fetch.js'
import { type Run, runtimeError } from './run.js'

/** Models have no loops and call no actions. */
export const NO_LIMITS: Limits = { loopIterationsMax: 0, callDepthMax: 0, loopMsMax: 0 }

/** What fields were before the first evaluation. */
export function neverEvaluated(program: ModelProgram): Value[] {
  return Array<Value>(program.fields.length).fill(NO_PREVIOUS)
}

/**
 * @param given values for slots that are not to be evaluated
 * @throws LotRuntimeError that points into the text of the field, which is that of a parent if the field is inherited
 */
export function evaluateFields(program: ModelProgram, run: Run, given: ReadonlyMap<number, Value> | undefined): void {
  const { fields, fetch } = program
  let rows: readonly JsonData[] | undefined
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]
    try {
      if (given?.has(i)) run.slots[i] = given.get(i)
      else if (fetch !== undefined && !field.hasSource) {
        rows ??= fetch(run)
        run.slots[i] = fetchedValue(field.leaf, rows)
      } else {
        run.at = -1
        run.slots[i] = field.run(run)
      }
    } catch (error) {
      const { node, source } = field.leaf.member
      throw runtimeError(error, source, run.at < 0 ? node.span.start : run.at)
    }
  }
}
