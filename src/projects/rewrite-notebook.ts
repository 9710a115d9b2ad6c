/** Changes the texts of a notebook's cells and leaves everything else in it alone. */
import type { Cell } from './notebook.js'

/**
 * @param text of a notebook whose cells could be read
 * @param changed new texts, by number of the cell
 */
export function rewriteNotebook(text: string, changed: ReadonlyMap<Cell['number'], string>): string {
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : ''
  const cells = JSON.parse(text.slice(mark.length)) as Record<string, unknown>[]
  for (const [number, value] of changed) cells[number - 1].value = value
  const indent = /^\s*\[\s*\n([ \t]+)/.exec(text)?.[1]
  const json = JSON.stringify(cells, undefined, indent)
  const lines = text.includes('\r\n') ? json.replaceAll('\n', '\r\n') : json
  return `${mark}${lines}${text.slice(text.trimEnd().length)}`
}
