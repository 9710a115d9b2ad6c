/** An expression as a closure, with what is known of it before it ever runs. */
import { LotCompileError } from '../program.js'
import type { Source, Span } from '../source.js'
import type { Expression, TextNode } from '../tree.js'
import type { Value } from '../values/value.js'
import type { Run } from './run.js'

export type Evaluate = (run: Run) => Value

export interface Compiled {
  readonly run: Evaluate
  /** Set for constants; an object of its own, since the constant may be empty. */
  readonly constant: { readonly value: Value } | undefined
  /** Yields numbers or empty, never text: two empty ones add up to 0. */
  readonly isNumeric: boolean
}

/** What names mean where an expression stands. */
export interface Scope {
  readonly source: Source
  readonly expression: (node: Expression) => Compiled
  /** `{name.a.b}` */
  readonly variable: (path: readonly string[], span: Span) => Compiled
  /** `name.a.b` in a model */
  readonly field: (path: readonly string[], span: Span) => Compiled
  /** `TOPIC "t"` in the JSON of a model field */
  readonly topicValue: (topic: TextNode) => Compiled
}

export function constant(value: Value): Compiled {
  return { run: () => value, constant: { value }, isNumeric: typeof value === 'number' }
}

export function dynamic(run: Evaluate, isNumeric = false): Compiled {
  return { run, constant: undefined, isNumeric }
}

/** Evaluates at once what depends on constants only. What fails then is left to fail when it runs. */
export function fold(parts: readonly Compiled[], run: Evaluate, isNumeric = false): Compiled {
  if (parts.every((part) => part.constant !== undefined)) {
    try {
      return { ...constant(run(NO_RUN)), isNumeric }
    } catch {
      return dynamic(run, isNumeric)
    }
  }
  return dynamic(run, isNumeric)
}

/** Constants read nothing of a run. */
const NO_RUN = { at: 0 } as Run

export function compileError(scope: Pick<Scope, 'source'>, span: Span, message: string): LotCompileError {
  const { line, column } = scope.source.positionOf(span.start)
  return new LotCompileError(message, line, column)
}
