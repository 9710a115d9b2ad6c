/** The text of a command: its name, what follows it, and the identifier of the request. */

export interface CommandLine {
  /** As it was written, with its dashes. */
  readonly written: string
  /** Lower case, without dashes: `-listRoutes` and `--list-routes` are both `listroutes`. */
  readonly key: string
  /** Everything after the name, line ends as they came; without the blanks before the first character. */
  readonly rest: string
  readonly requestId: string | undefined
}

const REQUEST_ID = '-requestid'
const NAME = /^-{0,2}[^\s-][^\s]*/
/** Blanks after the name, up to and with the end of its line: a body below it keeps its indentation. */
const BEFORE_REST = /^[ \t]*(?:\r?\n(?:[ \t]*\r?\n)*)?/

/** @returns undefined for a text without a word */
export function parseCommandLine(text: string): CommandLine | undefined {
  const content = text.replace(/^\uFEFF/, '').trimStart()
  const requestId = trailingRequestId(content)
  const withoutId = requestId === undefined ? content : content.slice(0, requestId.start)
  const written = NAME.exec(withoutId)?.[0]
  if (written === undefined) return undefined
  return {
    written,
    key: commandKey(written),
    rest: withoutId.slice(written.length).replace(BEFORE_REST, ''),
    requestId: requestId?.id,
  }
}

/** What a name is looked up by. */
export function commandKey(written: string): string {
  return written.replaceAll('-', '').toLowerCase()
}

/** The last word but one is `-requestId`. Looks at the end only: a body may have megabytes. */
function trailingRequestId(text: string): { readonly id: string; readonly start: number } | undefined {
  const end = text.trimEnd().length
  const idStart = lastBlank(text, end) + 1
  const optionEnd = text.slice(0, idStart).trimEnd().length
  const optionStart = lastBlank(text, optionEnd) + 1
  if (optionStart === 0 || text.slice(optionStart, optionEnd).toLowerCase() !== REQUEST_ID) return undefined
  return { id: text.slice(idStart, end), start: text.slice(0, optionStart).trimEnd().length }
}

/** @returns the offset of the last blank before `end`, or -1 */
function lastBlank(text: string, end: number): number {
  let at = end - 1
  while (at >= 0 && !/\s/.test(text[at])) at--
  return at
}

/** Words as they stand between blanks; quotes (`"` or `'`) hold blanks together and are taken off. */
export function wordsOf(rest: string): string[] {
  const words: string[] = []
  for (const match of rest.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)) words.push(match[1] ?? match[2] ?? match[3])
  return words
}

/** The first word, and what follows it as it was written. */
export function firstWord(rest: string): readonly [word: string | undefined, after: string] {
  const match = /^\s*(?:"([^"]*)"|'([^']*)'|(\S+))\s*/.exec(rest)
  if (match === null) return [undefined, '']
  return [match[1] ?? match[2] ?? match[3], rest.slice(match[0].length)]
}

/** `NAME=value`: the value may hold blanks and `=`; quotes around the value, or around all of it, are taken off. */
export function assignmentOf(rest: string): { readonly name: string; readonly value: string } | undefined {
  const text = unquoted(rest.trim())
  const at = text.indexOf('=')
  if (at < 1) return undefined
  return { name: text.slice(0, at).trim(), value: unquoted(text.slice(at + 1)) }
}

function unquoted(text: string): string {
  const quote = text[0]
  const isQuoted = text.length >= 2 && (quote === '"' || quote === "'") && text.indexOf(quote, 1) === text.length - 1
  return isQuoted ? text.slice(1, -1) : text
}
