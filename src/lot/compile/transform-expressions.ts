/** TRIM, FILTER, REPLACE and SPLIT, before a source and in a pipeline. */
import { unreachable } from '../../base/errors.js'
import type { Expression, PipelineStage, TextNode } from '../tree.js'
import { compileRegex } from '../values/regex.js'
import { replaceAll, split, trim } from '../values/transforms.js'
import { textOf, type Value } from '../values/value.js'
import { type Compiled, compileError, dynamic, fold, type Scope } from './compiled.js'
import type { Run } from './run.js'

type Node<Kind extends Expression['kind']> = Extract<Expression, { kind: Kind }>

function regexOf(pattern: TextNode, scope: Scope): RegExp {
  const { regex, problem } = compileRegex(pattern.value)
  if (regex === undefined) throw compileError(scope, pattern.span, problem)
  return regex
}

function firstMatch(regex: RegExp, value: Value): string | undefined {
  regex.lastIndex = 0
  return regex.exec(textOf(value))?.[0]
}

/** The first match, or empty. */
export function compileFilter(node: Node<'filter'>, scope: Scope): Compiled {
  const source = scope.expression(node.source)
  const regex = regexOf(node.pattern, scope)
  return dynamic((run) => firstMatch(regex, source.run(run)))
}

export function compileTrim(node: Node<'trim'>, scope: Scope): Compiled {
  const source = scope.expression(node.source)
  return fold([source], (run) => trim(source.run(run)))
}

export function compileSplit(node: Node<'split'>, scope: Scope): Compiled {
  const source = scope.expression(node.source)
  const separator = node.separator?.value
  return fold([source], (run) => split(source.run(run), separator))
}

export function compileReplace(node: Node<'replace'>, scope: Scope): Compiled {
  const source = scope.expression(node.source)
  const replacement = scope.expression(node.replacement)
  const find = node.find.value
  return fold([source, replacement], (run) => replaceAll(source.run(run), find, replacement.run(run)))
}

type Stage = (value: Value, run: Run) => Value

function compileStage(stage: PipelineStage, scope: Scope): Stage {
  switch (stage.kind) {
    case 'trim':
      return trim
    case 'filter': {
      const regex = regexOf(stage.pattern, scope)
      return (value) => firstMatch(regex, value)
    }
    case 'split': {
      const separator = stage.separator?.value
      return (value) => split(value, separator)
    }
    case 'replace': {
      const replacement = scope.expression(stage.replacement)
      const find = stage.find.value
      return (value, run) => {
        const before = run.result
        run.result = value
        const made = replaceAll(value, find, replacement.run(run))
        run.result = before
        return made
      }
    }
    default:
      return unreachable(stage)
  }
}

export function compilePipeline(node: Node<'pipeline'>, scope: Scope): Compiled {
  const source = scope.expression(node.source)
  const stages = node.stages.map((stage) => compileStage(stage, scope))
  return dynamic((run) => {
    let value = source.run(run)
    for (const stage of stages) value = stage(value, run)
    return value
  })
}

/**
 * What PUBLISH TOPIC … WITH FILTER … sends: one value for each match, none without a match.
 * @returns undefined if the expression does not filter
 */
export function compileMatches(node: Expression, scope: Scope): ((run: Run) => Value[]) | undefined {
  if (node.kind === 'group') return compileMatches(node.inner, scope)
  if (node.kind === 'filter') {
    const source = scope.expression(node.source)
    const regex = regexOf(node.pattern, scope)
    return (run) => matches(regex, source.run(run))
  }
  if (node.kind !== 'pipeline') return undefined
  const first = node.stages.findIndex((stage) => stage.kind === 'filter')
  const inner = compileMatches(node.source, scope)
  if (first < 0 && inner === undefined) return undefined
  const source = scope.expression(node.source)
  const begin = inner ?? ((run: Run): Value[] => [source.run(run)])
  const stages = node.stages.map((stage) => compileMany(stage, scope))
  return (run) => stages.reduce((values, stage) => stage(values, run), begin(run))
}

function compileMany(stage: PipelineStage, scope: Scope): (values: Value[], run: Run) => Value[] {
  if (stage.kind === 'filter') {
    const regex = regexOf(stage.pattern, scope)
    return (values) => values.flatMap((value) => matches(regex, value))
  }
  const one = compileStage(stage, scope)
  return (values, run) => values.map((value) => one(value, run))
}

function matches(regex: RegExp, value: Value): string[] {
  return textOf(value).match(regex) ?? []
}
