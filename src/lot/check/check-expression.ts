/** What can be wrong with a value, wherever it stands. */
import type { Span } from '../source.js'
import type { Report } from '../syntax/report.js'
import { writeString } from '../syntax/string-literal.js'
import type { Expression, TextNode } from '../tree.js'
import { timestampFormat } from '../values/timestamp.js'
import { constantOf, mismatch } from './constants.js'
import type { Occasion } from './occasion.js'
import { checkPattern } from './patterns.js'
import { literalPieces, nameProblem } from './topics.js'
import { bare, everyExpression, partsOf } from './walk.js'

export interface ExpressionScope {
  readonly report: Report
  readonly occasion: Occasion
  /** `{name.a}`; reports what it does not know. */
  readonly variable: (path: readonly string[], span: Span) => void
  /** `name.a` in a model; likewise. */
  readonly field: (path: readonly string[], span: Span) => void
}

export function checkExpression(expression: Expression, scope: ExpressionScope): void {
  for (const part of everyExpression(expression)) checkOne(part, scope)
}

function checkOne(expression: Expression, scope: ExpressionScope): void {
  const { report } = scope
  switch (expression.kind) {
    case 'variable':
      scope.variable(expression.path, expression.span)
      return
    case 'field':
      scope.field(expression.path, expression.span)
      return
    case 'payload':
    case 'topicPosition':
    case 'session':
      checkGiven(expression, scope)
      return
    case 'getTopic':
      checkReadTopic(expression.topic, scope)
      return
    case 'getJson':
      checkPath(expression.path, report)
      return
    case 'filter':
      checkPattern(expression.pattern, report)
      return
    case 'pipeline':
      for (const stage of expression.stages) if (stage.kind === 'filter') checkPattern(stage.pattern, report)
      return
    case 'random':
      checkRange(expression, report)
      return
    case 'timestamp':
      checkTimestamp(expression.format, report)
      return
    case 'comparison': {
      const problem = mismatch(expression.left, expression.right)
      if (problem !== undefined) report.add('LOT4005', `The comparison makes no sense: ${problem}`, expression.span)
      return
    }
    case 'arithmetic': {
      const divides = expression.operator === '/' || expression.operator === '%'
      if (divides && constantOf(expression.right)?.value === 0) {
        report.add('LOT4011', 'Division by zero', expression.right.span)
      }
      return
    }
    case 'object':
      checkKeys(expression, report)
      return
  }
}

type Node<Kind extends Expression['kind']> = Extract<Expression, { kind: Kind }>

/** What only some triggers give. */
function checkGiven(
  expression: Node<'payload' | 'topicPosition' | 'session'>,
  { report, occasion }: ExpressionScope,
): void {
  switch (expression.kind) {
    case 'payload':
      if (occasion.givesPayload) return
      report.add('LOT3002', `PAYLOAD needs ON TOPIC or ON CHANGE: ${occasion.name} brings no message`, expression.span)
      return
    case 'topicPosition': {
      const { position, span } = expression
      if (position <= occasion.levelsMax) return
      if (occasion.levelsMax === 0) {
        const message = `TOPIC POSITION needs ON TOPIC or ON CHANGE: ${occasion.name} brings no topic`
        report.add('LOT3003', message, span)
        return
      }
      const levels = occasion.levelsMax === 1 ? '1 level' : `${occasion.levelsMax} levels`
      report.add('LOT4015', `The topic of the trigger has ${levels}: TOPIC POSITION ${position} is always empty`, span)
      return
    }
    case 'session':
      if (occasion.words.has(expression.word)) return
      report.add(
        'LOT4006',
        `${expression.word} is always empty here: ${occasion.name} does not give it`,
        expression.span,
      )
  }
}

function checkReadTopic(topic: Expression, { report, occasion }: ExpressionScope): void {
  const { pieces, whole } = literalPieces(topic)
  const problem = whole === undefined ? undefined : nameProblem(whole)
  if (problem !== undefined) {
    report.add('LOT3013', `Cannot be read: ${problem}`, topic.span)
    return
  }
  const text = pieces.join('')
  if (text.includes('#')) {
    report.add('LOT3011', 'GET TOPIC reads one topic: # does not stand for one', topic.span)
    return
  }
  const count = text.split('/').filter((level) => level === '+').length
  if (occasion.captures === undefined || count <= occasion.captures) return
  report.add('LOT4012', `Always empty: the trigger has no level for a + of the topic`, topic.span)
}

const JSON_PATH =
  /^(?:[^.[\]"\s][^.[\]"]*|\["[^"]*"\]|\[\s*\d+\s*\])(?:\.[^.[\]"\s][^.[\]"]*|\["[^"]*"\]|\[\s*\d+\s*\])*$/

/** How other languages begin a path: `$.a`. */
const JSON_PATH_ROOT = /^\$(?:\.|(?=\[)|$)/

/** `a.b`, `items.0.id`, `items[0].id`, `["a.b"]`; the empty path is the whole. */
function checkPath({ value, span }: TextNode, report: Report): void {
  if (value === '' || (JSON_PATH.test(value) && !JSON_PATH_ROOT.test(value))) return
  const plain = value.replace(JSON_PATH_ROOT, '')
  const isPath = plain !== value && (plain === '' || JSON_PATH.test(plain))
  const replacement = isPath ? writeString(plain) : undefined
  report.add('LOT3015', `"${value}" is no path into JSON: write "a.b" or "items[0].id"`, span, replacement)
}

function checkRange({ from, to, span }: Node<'random'>, report: Report): void {
  const low = constantOf(from)?.value
  const high = constantOf(to)?.value
  if (typeof low !== 'number' || typeof high !== 'number' || low <= high) return
  report.add('LOT3021', `No number is between ${low} and ${high}: the smaller one stands first`, span)
}

const SOME_TIME = Date.UTC(2026, 2, 5, 7, 8, 9)

function checkTimestamp(format: TextNode, report: Report): void {
  if (timestampFormat(format.value)(SOME_TIME) !== '') return
  const message = `TIMESTAMP "${format.value}" is always empty: write ISO, UTC, UNIX, UNIX-MS or a pattern such as yyyy-MM-dd`
  report.add('LOT4013', message, format.span)
}

function checkKeys({ members }: Node<'object'>, report: Report): void {
  const seen = new Set<string>()
  for (const { key } of members) {
    if (seen.has(key.text)) report.add('LOT4010', `The key "${key.text}" stands twice: the last one counts`, key.span)
    seen.add(key.text)
  }
}

/** Whether an expression can have another value when it is asked again within one run, variables aside. */
export function changesByItself(expression: Expression): boolean {
  switch (bare(expression).kind) {
    case 'getTopic':
    case 'getModel':
    case 'getEnvironment':
    case 'random':
    case 'uuid':
    case 'timestamp':
      return true
    default:
      return partsOf(expression).some(changesByItself)
  }
}
