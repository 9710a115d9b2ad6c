/** What a broker says is wrong with LoT, printed as `merlot lot check` prints it. */
import { pointedLine } from '../lot/diagnostic-text.js'

/** An entry of `errors` in an answer; places count from 1. */
export interface AnswerError {
  readonly message: string
  readonly code?: string
  /** In the text of the entity. */
  readonly line?: number
  readonly column?: number
  readonly sourceLines?: readonly { readonly line: number; readonly text: string }[]
  readonly suggestions?: readonly string[]
  /** Of projects. */
  readonly file?: string
  readonly cell?: number
  /** From the start of the cell, or of the file. */
  readonly fileLine?: number
}

interface Refused {
  readonly message?: string
  readonly entityType?: string
  readonly entityName?: string
  readonly errors?: readonly AnswerError[]
}

/** What was sent of a file. */
export interface SentFile {
  readonly name: string
  readonly text: string
}

/** A text for each error that tells more than the message of the answer. */
export function problemTexts(
  { message, entityType, entityName, errors = [] }: Refused,
  sent?: SentFile,
): readonly string[] {
  const subject = entityType === undefined ? undefined : `${entityType} ${entityName ?? ''}`.trim()
  return errors.flatMap((error) => {
    return error.message === message ? [] : [problemText({ ...placeIn(sent, error), ...error }, subject)]
  })
}

/** The broker counts from the beginning of the entity. @returns nothing where its lines are not there exactly once */
function placeIn(sent: SentFile | undefined, { line, sourceLines = [] }: AnswerError): Partial<AnswerError> {
  if (sent === undefined || line === undefined || sourceLines.length === 0) return {}
  const lines = sent.text.split(/\r?\n/)
  const starts = [...lines.keys()].filter((start) =>
    sourceLines.every(({ text }, index) => lines[start + index] === text),
  )
  const [first, ...others] = starts
  if (first === undefined || others.length > 0) return {}
  return { file: sent.name, fileLine: first + 1 + line - sourceLines[0].line }
}

/** Names of `subject` for errors that tell no file. */
function problemText(error: AnswerError, subject: string | undefined): string {
  const { message, code, line, column = 1, fileLine, sourceLines = [], suggestions = [] } = error
  const place = fileLine ?? line
  const at = place === undefined ? '' : `:${place}:${column}`
  const name = nameOf(error) ?? subject
  const where = name === undefined ? at.slice(1) : `${name}${at}${at === '' ? ':' : ''}`
  const head = `${where} error${code === undefined ? '' : ` ${code}`}: ${message}`.trimStart()
  const source = sourceLines.find((near) => near.line === line)
  if (source === undefined || place === undefined) return head
  const advice = suggestions.length === 0 ? '' : `did you mean ${suggestions.join(' or ')}?`
  return `${head}\n${pointedLine(source.text, place, column, 1, advice)}`
}

function nameOf({ file, cell }: AnswerError): string | undefined {
  return file === undefined || cell === undefined ? file : `${file} cell ${cell}`
}
