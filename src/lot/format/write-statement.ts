/** Statements as lines. */
import { unreachable } from '../../base/errors.js'
import type { Span } from '../source.js'
import type { Argument, Name, Statement } from '../tree.js'
import { flat, joined, type List, listOf, nameText, type Piece, piecesOf } from './pieces.js'
import { COLUMNS_MAX, INDENT, type Sheet } from './sheet.js'

type Node<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>

export function writeBody(sheet: Sheet, body: readonly Statement[], level: number): void {
  for (const statement of body) writeStatement(sheet, statement, level)
}

function writeStatement(sheet: Sheet, statement: Statement, level: number): void {
  switch (statement.kind) {
    case 'if':
      writeIf(sheet, statement, level)
      return
    case 'switch':
      writeSwitch(sheet, statement, level)
      return
    case 'loop':
      writeLoop(sheet, statement, level)
      return
    case 'publishModel':
      writePublishModel(sheet, statement, level)
      return
    default:
      sheet.add(level, piecesOfStatement(statement), statement.span, 'item')
  }
}

function piecesOfStatement(
  statement: Exclude<Statement, Node<'if' | 'switch' | 'loop' | 'publishModel'>>,
): readonly Piece[] {
  switch (statement.kind) {
    case 'set':
      return [`SET ${nameText(statement.variable)} WITH `, ...piecesOf(statement.value)]
    case 'publish':
      return ['PUBLISH TOPIC ', ...piecesOf(statement.topic), ' WITH ', ...piecesOf(statement.value)]
    case 'keep':
      return ['KEEP TOPIC ', ...piecesOf(statement.topic), ' WITH ', ...piecesOf(statement.value)]
    case 'keepEnvironment':
      return [`KEEP ${storeWord(statement)} ${statement.name.written} WITH `, ...piecesOf(statement.value)]
    case 'deleteEnvironment':
      return [`DELETE ${storeWord(statement)} ${statement.name.written}`]
    case 'callAction':
      return [
        `CALL ACTION ${nameText(statement.action)}`,
        ...(statement.arguments.length === 0 ? [] : [' WITH ', ...argumentPieces(statement.arguments)]),
        statement.results.length === 0 ? '' : ` RETURN ${statement.results.map(nameText).join(', ')}`,
      ]
    case 'callPython':
      return [
        `CALL PYTHON ${statement.target.written} WITH `,
        listOf('(', statement.arguments, ')', spanOf(statement.arguments)),
        resultText(statement.result),
      ]
    case 'callMcp':
      return [
        `CALL MCP ${statement.target.written} WITH `,
        argumentList(statement.arguments),
        resultText(statement.result),
      ]
    case 'callModel':
      return [
        `CALL ${statement.service} ${statement.route.written} METHOD ${statement.method.written} WITH `,
        ...argumentPieces(statement.arguments),
        resultText(statement.result),
      ]
    case 'triggerEvent':
      return [
        `TRIGGER ${statement.event.written} TO ${nameText(statement.route)} WITH `,
        ...piecesOf(statement.payload),
      ]
    case 'triggerMapping':
      return [
        `TRIGGER ${statement.route.written} TO `,
        ...piecesOf(statement.payload),
        ` FOR ${nameText(statement.mapping)}`,
      ]
    default:
      return unreachable(statement)
  }
}

function storeWord({ secret }: { readonly secret: boolean }): string {
  return secret ? 'SECRET' : 'ENV'
}

function resultText(result: Name | undefined): string {
  if (result === undefined) return ''
  return ` RETURN AS ${result.quoted ? nameText(result) : `{${result.text}}`}`
}

function argumentPieces(given: readonly Argument[]): readonly Piece[] {
  return joined(
    given.map(({ name, value }) => [`${nameText(name)} = `, ...piecesOf(value)]),
    ', ',
  )
}

function argumentList(given: readonly Argument[]): List {
  const items = given.map(({ name, value }) => ({
    pieces: [`${nameText(name)} = `, ...piecesOf(value)],
    span: { start: name.span.start, end: value.span.end },
  }))
  return { open: '(', close: ')', span: spanOf(items), items }
}

/** From the first to the last; the brackets around them are not in the tree. */
function spanOf(items: readonly { readonly span: Span }[]): Span {
  return { start: items[0]?.span.start ?? 0, end: items.at(-1)?.span.end ?? 0 }
}

function endOf(body: readonly Statement[], otherwise: number): number {
  return body.at(-1)?.span.end ?? otherwise
}

function writeIf(sheet: Sheet, { branches, otherwise, span }: Node<'if'>, level: number): void {
  let { start } = span
  for (const [index, { condition, body }] of branches.entries()) {
    if (index > 0) start = sheet.find('ELSE', start, condition.span.start)
    const pieces = [index === 0 ? 'IF ' : 'ELSE IF ', ...piecesOf(condition), ' THEN']
    sheet.add(level, pieces, { start, end: condition.span.end }, index === 0 ? 'item' : 'part')
    writeBody(sheet, body, level + 1)
    start = endOf(body, condition.span.end)
  }
  if (otherwise === undefined) return
  writeKeyword(sheet, 'ELSE', start, otherwise[0]?.span.start ?? span.end, level)
  writeBody(sheet, otherwise, level + 1)
}

function writeSwitch(sheet: Sheet, { subject, cases, otherwise, span }: Node<'switch'>, level: number): void {
  sheet.add(level, ['SWITCH ', ...piecesOf(subject)], { start: span.start, end: subject.span.end }, 'item')
  let last = subject.span.end
  for (const { value, body } of cases) {
    sheet.add(level + 1, ['CASE ', ...piecesOf(value), ' THEN'], value.span, 'item')
    writeBody(sheet, body, level + 2)
    last = endOf(body, value.span.end)
  }
  if (otherwise === undefined) return
  const start = sheet.find('DEFAULT', last, otherwise[0]?.span.start ?? span.end)
  sheet.add(level + 1, ['DEFAULT THEN'], { start, end: start }, 'item')
  writeBody(sheet, otherwise, level + 2)
}

function writeLoop(sheet: Sheet, { body, until, span }: Node<'loop'>, level: number): void {
  sheet.add(level, ['LOOP'], { start: span.start, end: span.start }, 'item')
  writeBody(sheet, body, level + 1)
  const start = sheet.find('UNTIL', endOf(body, span.start), until.span.start)
  sheet.add(level, ['UNTIL ', ...piecesOf(until)], { start, end: until.span.end }, 'part')
}

/** A line that holds nothing but a keyword. */
export function writeKeyword(sheet: Sheet, word: string, from: number, to: number, level: number): void {
  const start = sheet.find(word, from, to)
  sheet.add(level, [word], { start, end: start + 1 }, 'part')
}

function writePublishModel(
  sheet: Sheet,
  { model, topic, assignments, span }: Node<'publishModel'>,
  level: number,
): void {
  const header: readonly Piece[] = [`PUBLISH MODEL ${nameText(model)} TO `, ...piecesOf(topic), ' WITH']
  const rows = assignments.map(({ path, value }) => [`${path.join('.')} = `, ...piecesOf(value)])
  const line = [...header, ' ', ...joined(rows, ', ')]
  const [first] = assignments
  const isSpread =
    (first !== undefined && sheet.hasBreak(topic.span.end, first.span.start)) ||
    sheet.hasComment(span) ||
    sheet.hasSpread(line) ||
    level * INDENT + flat(line).length > COLUMNS_MAX
  if (!isSpread) {
    sheet.add(level, line, span, 'item')
    return
  }
  sheet.add(level, header, { start: span.start, end: topic.span.end }, 'item')
  for (const [index, { span, value }] of assignments.entries()) {
    sheet.add(level + 1, rows[index], { start: span.start, end: value.span.end }, 'item')
  }
}
