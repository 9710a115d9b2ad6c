/** FETCH FROM: the first row fills fields that have no source, all rows fill a collection. */
import type { OutsideCall } from '../program.js'
import type { Source } from '../source.js'
import type { Expression, FetchNode } from '../tree.js'
import { toFieldType } from '../values/json-text.js'
import { fromJson, Json, type JsonData, parseJson, textOf, type Value } from '../values/value.js'
import { compileError, type Evaluate, type Scope } from './compiled.js'
import type { Leaf } from './model-layout.js'
import type { Run } from './run.js'

/** Asks the route. */
export type Fetch = (run: Run) => readonly JsonData[]

/** @param scope that of the first field without source: the condition sees the fields declared before it */
export function compileFetch(node: FetchNode, scope: Scope, source: Source): Fetch {
  const where = node.when === undefined ? undefined : compileWhere(node.when, scope, source)
  const question = { kind: 'fetch', route: node.route.value, table: node.table.value, limit: node.limit } as const
  const at = node.span.start
  return (run) => {
    run.at = at
    const call: OutsideCall = { ...question, where: where?.(run) }
    const rows = parseJson(run.world.call(call))
    return Array.isArray(rows) ? rows : []
  }
}

type Where = (run: Run) => { readonly field: string; readonly operator: string; readonly value: string }

function compileWhere(node: Expression, scope: Scope, source: Source): Where {
  if (node.kind === 'group') return compileWhere(node.inner, scope, source)
  const column = node.kind === 'comparison' ? columnOf(node.left) : undefined
  if (node.kind !== 'comparison' || column === undefined) {
    throw compileError({ source }, node.span, 'WHEN of FETCH compares one column with a value')
  }
  const value: Evaluate = scope.expression(node.right).run
  const { operator } = node
  return (run) => ({ field: column, operator, value: textOf(value(run)) })
}

function columnOf(node: Expression): string | undefined {
  if (node.kind === 'field' || node.kind === 'variable') return node.path.join('.')
  return node.kind === 'text' ? node.value : undefined
}

export function fetchedValue(leaf: Leaf, rows: readonly JsonData[]): Value {
  if (leaf.isCollection) return Json.ofData([...rows])
  const row = rows[0]
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return undefined
  const column = leaf.path.join('.')
  return Object.hasOwn(row, column) ? toFieldType(fromJson(row[column]), leaf.type) : undefined
}
