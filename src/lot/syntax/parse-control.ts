/** IF, SWITCH and LOOP as statements. */
import type { Expression, Statement } from '../tree.js'
import type { Cursor } from './cursor.js'
import { parseCondition, parseValue } from './parse-expression.js'
import { parseStatement } from './parse-statement.js'
import type { Token } from './token.js'

/** @param start the IF, which is behind the cursor; likewise below */
export function parseIf(cursor: Cursor, start: Token): Statement {
  const branches: { condition: Expression; body: readonly Statement[] }[] = []
  let otherwise: readonly Statement[] | undefined
  for (;;) {
    const condition = parseCondition(cursor)
    cursor.expectWord('THEN', 'LOT2009')
    branches.push({ condition, body: parseBody(cursor, 'THEN') })
    if (!cursor.acceptAtMargin('ELSE')) break
    if (cursor.atInline('IF') && cursor.accept('IF')) continue
    otherwise = parseBody(cursor, 'ELSE')
    break
  }
  return { kind: 'if', branches, otherwise, span: cursor.spanFrom(start) }
}

export function parseSwitch(cursor: Cursor, start: Token): Statement {
  const subject = parseValue(cursor)
  const cases: { value: Expression; body: readonly Statement[] }[] = []
  let otherwise: readonly Statement[] | undefined
  cursor.block(() => {
    const word = cursor.peek()
    if (otherwise !== undefined && (cursor.at('CASE') || cursor.at('DEFAULT'))) {
      cursor.report.add('LOT2036', 'DEFAULT is the last branch of its SWITCH', word)
    }
    if (cursor.accept('CASE')) {
      const value = parseValue(cursor)
      cursor.expectWord('THEN', 'LOT2009')
      cases.push({ value, body: parseBody(cursor, 'THEN') })
    } else if (cursor.accept('DEFAULT')) {
      cursor.expectWord('THEN', 'LOT2009')
      otherwise = parseBody(cursor, 'THEN')
    } else cursor.fail(['CASE', 'DEFAULT'])
  }, 'SWITCH')
  return { kind: 'switch', subject, cases, otherwise, span: cursor.spanFrom(start) }
}

export function parseLoop(cursor: Cursor, start: Token): Statement {
  const body = parseBody(cursor, start.text.toUpperCase())
  if (!cursor.acceptAtMargin('UNTIL')) return cursor.fail(['UNTIL'])
  return { kind: 'loop', body, until: parseCondition(cursor), span: cursor.spanFrom(start) }
}

function parseBody(cursor: Cursor, owner: string): Statement[] {
  return cursor.body(() => parseStatement(cursor), owner)
}
