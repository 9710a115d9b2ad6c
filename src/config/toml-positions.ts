/** The places of keys in a TOML file, which its parser does not tell. */
import type { Position } from './file-formats.js'

const HEADER = /^\s*(\[\[?)\s*([\w."'\s-]+?)\s*\]/
const KEY = /^(\s*)([\w."'\s-]+?)\s*=\s*(.*)$/

/**
 * Finds table headers and the keys at the beginning of lines. Keys within inline tables have the place of the line they
 * are in by way of their parent. The text must be valid TOML.
 */
export function tomlPositions(text: string): Map<string, Position> {
  const positions = new Map<string, Position>()
  const tablesOf = new Map<string, number>()
  let table = ''
  let openQuotes: string | undefined
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (openQuotes !== undefined) {
      if (line.includes(openQuotes)) openQuotes = undefined
      continue
    }
    const at = (text: string): Position => ({ line: index + 1, column: line.length - text.trimStart().length + 1 })
    const header = HEADER.exec(line)
    if (header !== null) {
      table = withPositions(plainKey(header[2]!), tablesOf)
      if (header[1] === '[[') {
        const next = (tablesOf.get(table) ?? -1) + 1
        tablesOf.set(table, next)
        if (next === 0) positions.set(table, at(line))
        table = `${table}.${next}`
      }
      positions.set(table, at(line))
      continue
    }
    const key = KEY.exec(line)
    if (key === null) continue
    const path = table === '' ? plainKey(key[2]!) : `${table}.${plainKey(key[2]!)}`
    positions.set(path, at(line))
    openQuotes = unclosed(key[3]!)
  }
  return positions
}

function plainKey(key: string): string {
  return key
    .split('.')
    .map((part) => part.trim().replace(/^(["'])(.*)\1$/, '$2'))
    .join('.')
}

/** `[listeners.tls]` after `[[listeners]]` speaks of the newest listener: `listeners.0.tls`. */
function withPositions(path: string, tablesOf: ReadonlyMap<string, number>): string {
  let result = ''
  for (const part of path.split('.')) {
    const newest = tablesOf.get(result)
    if (newest !== undefined) result = `${result}.${newest}`
    result = result === '' ? part : `${result}.${part}`
  }
  return result
}

/** The delimiter of a multi-line string that begins in this value and does not end in it. */
function unclosed(value: string): string | undefined {
  for (const quotes of ['"""', "'''"]) {
    if (value.startsWith(quotes) && !value.slice(3).includes(quotes)) return quotes
  }
  return undefined
}
