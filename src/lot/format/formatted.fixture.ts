/** What formatting makes of a text, read again. */
import { Source } from '../source.js'
import { parseProgram } from '../syntax/parse.js'
import type { Program } from '../tree.js'
import { formatProgram } from './format.js'

export interface Formatted {
  readonly source: Source
  readonly program: Program
  readonly comments: readonly string[]
}

/** @throws Error if the formatted text cannot be read */
export function formatted(source: Source, program: Program = parseProgram(source).program): Formatted {
  const text = formatProgram(source, program)
  const again = new Source(source.name, text)
  const parsed = parseProgram(again)
  const error = parsed.diagnostics.find(({ severity }) => severity === 'error')
  if (error !== undefined) throw new Error(`${error.message} at ${error.span.start} in:\n${text}`)
  return { source: again, program: parsed.program, comments: parsed.program.comments.map((comment) => comment.text) }
}

/** The entities without the places they stand at. */
export function plainTree({ entities }: Pick<Program, 'entities'>): string {
  return JSON.stringify(entities, (key, value: unknown) => (key === 'span' ? undefined : value), 1)
}
