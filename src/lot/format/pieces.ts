/** Expressions as pieces of a line: text, and lists in brackets that may be spread over lines of their own. */
import { unreachable } from '../../base/errors.js'
import type { Span } from '../source.js'
import { writeString } from '../syntax/string-literal.js'
import type { Expression, Name, PipelineStage, TextNode } from '../tree.js'

export type Piece = string | List

export interface List {
  readonly open: string
  readonly close: string
  /** Of the brackets in the source. */
  readonly span: Span
  readonly items: readonly ListItem[]
}

export interface ListItem {
  readonly pieces: readonly Piece[]
  readonly span: Span
}

/** On one line. */
export function flat(pieces: readonly Piece[]): string {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : flatList(piece))).join('')
}

function flatList({ open, close, items }: List): string {
  const blank = open === '{' && items.length > 0 ? ' ' : ''
  return open + blank + items.map(({ pieces }) => flat(pieces)).join(', ') + blank + close
}

export function nameText({ text, quoted }: Name): string {
  return quoted ? writeString(text) : text
}

/** What is between pieces that follow each other. */
export function joined(parts: readonly (readonly Piece[])[], separator: string): readonly Piece[] {
  return parts.flatMap((part, index) => (index === 0 ? part : [separator, ...part]))
}

export function piecesOf(expression: Expression): readonly Piece[] {
  switch (expression.kind) {
    case 'text':
    case 'number':
    case 'boolean':
      return [expression.written]
    case 'empty':
    case 'session':
      return [expression.word]
    case 'variable':
      return [`{${expression.path.join('.')}}`]
    case 'field':
      return [expression.path.join('.')]
    case 'payload':
      return ['PAYLOAD']
    case 'result':
      return ['RESULT']
    case 'uuid':
      return ['RANDOM UUID']
    case 'topicPosition':
      return [`TOPIC POSITION ${expression.position}`]
    case 'topicValue':
      return [`TOPIC ${expression.topic.written}`]
    case 'timestamp':
      return [`TIMESTAMP ${expression.format.written}`]
    case 'getTopic':
      return ['GET TOPIC ', ...piecesOf(expression.topic)]
    case 'getJson':
      return [`GET JSON ${expression.path.written} IN `, ...piecesOf(expression.source)]
    case 'getEnvironment':
      return [`GET ${expression.secret ? 'SECRET' : 'ENV'} ${expression.name.written}`]
    case 'getModel':
      return piecesOfGetModel(expression)
    case 'random': {
      const type = expression.type === undefined ? '' : `${expression.type} `
      return [`RANDOM ${type}BETWEEN `, ...piecesOf(expression.from), ' AND ', ...piecesOf(expression.to)]
    }
    case 'filter':
      return ['FILTER ', ...piecesOf(expression.source), ` USING REGEX ${expression.pattern.written}`]
    case 'split':
      return ['SPLIT ', ...piecesOf(expression.source), ` USING ${separatorText(expression.separator)}`]
    case 'trim':
      return ['TRIM ', ...piecesOf(expression.source)]
    case 'replace':
      return [
        `REPLACE ${expression.find.written} WITH `,
        ...piecesOf(expression.replacement),
        ' IN ',
        ...piecesOf(expression.source),
      ]
    case 'cast':
      return [...piecesOf(expression.operand), ` AS ${expression.type}`]
    case 'negate':
      // `--` could be read as a comment
      return [expression.operand.kind === 'negate' ? '- ' : '-', ...piecesOf(expression.operand)]
    case 'not':
      return ['NOT ', ...piecesOf(expression.operand)]
    case 'arithmetic':
    case 'logic':
      return [...piecesOf(expression.left), ` ${expression.operator} `, ...piecesOf(expression.right)]
    case 'comparison':
      return [...piecesOf(expression.left), ` ${expression.written.toUpperCase()} `, ...piecesOf(expression.right)]
    case 'choice':
      return piecesOfChoice(expression)
    case 'pipeline':
      return [...piecesOf(expression.source), ...expression.stages.flatMap(piecesOfStage)]
    case 'group':
      return ['(', ...piecesOf(expression.inner), ')']
    case 'object':
      return [objectOf(expression)]
    case 'array':
      return [listOf('[', expression.items, ']', expression.span)]
    default:
      return unreachable(expression)
  }
}

type Node<Kind extends Expression['kind']> = Extract<Expression, { kind: Kind }>

function objectOf({ members, span }: Node<'object'>): List {
  const items = members.map(({ key, value }) => ({
    pieces: [`${writeString(key.text)}: `, ...piecesOf(value)],
    span: { start: key.span.start, end: value.span.end },
  }))
  return { open: '{', close: '}', span, items }
}

export function listOf(open: string, items: readonly Expression[], close: string, span: Span): List {
  return { open, close, span, items: items.map((item) => ({ pieces: piecesOf(item), span: item.span })) }
}

function piecesOfGetModel({ model, route, field, operator, value }: Node<'getModel'>): readonly Piece[] {
  const test = `${nameText(field)} ${operator === '==' ? 'EQUALS' : operator}`
  return [`GET MODEL ${model.written} FROM ${route.written} WHERE ${test} `, ...piecesOf(value)]
}

function piecesOfChoice({ branches, otherwise }: Node<'choice'>): readonly Piece[] {
  const tests = branches.map(({ condition, value }) => ['IF ', ...piecesOf(condition), ' THEN ', ...piecesOf(value)])
  return otherwise === undefined
    ? joined(tests, ' ELSE ')
    : [...joined(tests, ' ELSE '), ' ELSE ', ...piecesOf(otherwise)]
}

function piecesOfStage(stage: PipelineStage): readonly Piece[] {
  switch (stage.kind) {
    case 'trim':
      return [' AND_THEN TRIM']
    case 'filter':
      return [` AND_THEN FILTER USING REGEX ${stage.pattern.written}`]
    case 'replace':
      return [` AND_THEN REPLACE ${stage.find.written} WITH `, ...piecesOf(stage.replacement)]
    case 'split':
      return [` AND_THEN SPLIT USING ${separatorText(stage.separator)}`]
  }
}

function separatorText(separator: TextNode | undefined): string {
  return separator === undefined ? 'CSV' : separator.written
}
