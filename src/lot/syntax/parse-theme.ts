/** DEFINE THEME: named colors. */
import type { ThemeNode } from '../tree.js'
import type { Cursor } from './cursor.js'
import { parseQuotedName, parseQuotedOrBareName, parseText } from './names.js'
import type { Token } from './token.js'

/** @param start the DEFINE; the cursor is behind THEME */
export function parseTheme(cursor: Cursor, start: Token): ThemeNode {
  const name = parseQuotedOrBareName(cursor)
  const parseColor = (): ThemeNode['colors'][number] => {
    const set = cursor.expect('SET')
    const key = parseQuotedName(cursor)
    cursor.expectWith()
    return { key, value: parseText(cursor), span: cursor.spanFrom(set) }
  }
  const colors = cursor.hasBlock() ? cursor.block(parseColor, 'DEFINE THEME') : []
  return { kind: 'theme', name, colors, span: cursor.spanFrom(start) }
}
