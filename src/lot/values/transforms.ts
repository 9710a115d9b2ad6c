/** TRIM, REPLACE and SPLIT. */
import { Json, textOf, type Value } from './value.js'

export function trim(value: Value): string {
  return textOf(value).trim()
}

/** Literal, all occurrences; an empty `find` replaces nothing. */
export function replaceAll(value: Value, find: string, replacement: Value): string {
  const text = textOf(value)
  return find === '' || !text.includes(find) ? text : text.split(find).join(textOf(replacement))
}

/** @param separator undefined for CSV @returns a JSON array of texts */
export function split(value: Value, separator: string | undefined): Json {
  const text = textOf(value)
  if (separator === undefined) return Json.ofData(csvFields(text))
  return Json.ofData(separator === '' ? [text] : text.split(separator))
}

/**
 * Fields as RFC 4180 has them: commas between, quotes around, a quote within doubled. A line end is the end of a field
 * too; one at the end of the text adds none.
 */
export function csvFields(text: string): string[] {
  const fields: string[] = []
  const end = text.replace(/\r?\n$/, '').length
  for (let at = 0; at <= end; ) {
    let field = ''
    let isQuoted = false
    if (text[at] === '"') {
      isQuoted = true
      for (at++; at < end; ) {
        const close = text.indexOf('"', at)
        if (close < 0) {
          field += text.slice(at, end)
          at = end
          break
        }
        field += text.slice(at, close)
        at = close + 1
        if (text[at] !== '"') break
        field += '"'
        at++
      }
    }
    let stop = at
    while (stop < end && text[stop] !== ',' && text[stop] !== '\n') stop++
    // A carriage return before the line end belongs to it.
    const rest = text.slice(at, text[stop] === '\n' && text[stop - 1] === '\r' && stop > at ? stop - 1 : stop)
    fields.push(isQuoted ? field + rest.trimEnd() : rest)
    at = stop + 1
  }
  return fields
}
