/** JSON whose values are expressions. */
import type { Expression, JsonMember, Name } from '../tree.js'
import type { Cursor } from './cursor.js'
import { parseQuotedName } from './names.js'
import { parseValue } from './parse-expression.js'

export function parseObject(cursor: Cursor): Expression {
  const start = cursor.peek()
  let height = 0
  const members = cursor.bracketed('{', '}', () =>
    parseList(cursor, '}', (): JsonMember => {
      const key = parseKey(cursor)
      cursor.expectSymbol(':')
      const value = parseValue(cursor)
      height = Math.max(height, cursor.height)
      return { key, value }
    }),
  )
  cursor.grow(height)
  return { kind: 'object', members, span: cursor.spanFrom(start) }
}

export function parseArray(cursor: Cursor): Expression {
  const start = cursor.peek()
  let height = 0
  const items = cursor.bracketed('[', ']', () =>
    parseList(cursor, ']', () => {
      const item = parseValue(cursor)
      height = Math.max(height, cursor.height)
      return item
    }),
  )
  cursor.grow(height)
  return { kind: 'array', items, span: cursor.spanFrom(start) }
}

function parseKey(cursor: Cursor): Name {
  const { kind } = cursor.peek()
  return kind === 'text' || kind === 'word' ? parseQuotedName(cursor) : cursor.fail(['STRING', '}'])
}

/** Items with commas between them, up to a bracket that is left where it is. */
export function parseList<T>(cursor: Cursor, close: string, item: () => T): T[] {
  const items: T[] = []
  if (cursor.atSymbol(close)) return items
  for (;;) {
    items.push(item())
    const comma = cursor.acceptSymbol(',')
    if (comma === undefined) {
      if (!cursor.atSymbol(close)) cursor.fail([',', close])
      return items
    }
    if (!cursor.atSymbol(close)) continue
    cursor.report.add('LOT2032', `Nothing stands between , and ${close}`, comma, '')
    return items
  }
}
