/** From a text to its tree, with everything that is wrong with it. */
import { nearestSpelling } from '../../base/spelling.js'
import type { Diagnostic } from '../diagnostics.js'
import type { Source } from '../source.js'
import type { Entity, EntityKind, Program } from '../tree.js'
import { Cursor, type ParseOptions, SyntaxFailure } from './cursor.js'
import { lex } from './lexer.js'
import { parseAction } from './parse-action.js'
import { parseModel } from './parse-model.js'
import { parsePanel } from './parse-panel.js'
import { parseRoute } from './parse-route.js'
import { parseRule } from './parse-rule.js'
import { parseTheme } from './parse-theme.js'
import { Report } from './report.js'
import { beginsEntity } from './split.js'
import { type Token, tokenName } from './token.js'

export type { ParseOptions }

export interface Parsed {
  readonly program: Program
  /** By place. */
  readonly diagnostics: readonly Diagnostic[]
}

export const ENTITY_WORDS: Readonly<Record<string, EntityKind>> = {
  ACTION: 'action',
  MODEL: 'model',
  ROUTE: 'route',
  RULE: 'rule',
  PANEL: 'panel',
  VISU: 'panel',
  THEME: 'theme',
}

const PARSERS: Readonly<Record<EntityKind, (cursor: Cursor, start: Token) => Entity>> = {
  action: parseAction,
  model: parseModel,
  route: parseRoute,
  rule: parseRule,
  panel: parsePanel,
  theme: parseTheme,
}

/**
 * Reads any text; time grows with its length. Entities whose header cannot be understood are left out of the program,
 * statements that cannot be understood are left out of their entity.
 */
export function parseProgram(source: Source, options: ParseOptions = {}): Parsed {
  const report = new Report()
  const { tokens, comments } = lex(source, report)
  const entities: Entity[] = []
  for (const part of entityParts(tokens, report)) {
    if (report.isFull) break
    const entity = parseEntity(source, part, report, options)
    if (entity !== undefined) entities.push(entity)
  }
  return { program: { entities, comments }, diagnostics: report.sorted() }
}

/** The tokens of each entity, with an end of their own: a mistake in one entity cannot reach the next. */
function entityParts(tokens: readonly Token[], report: Report): Token[][] {
  const parts: Token[][] = []
  let part: Token[] | undefined
  const finish = () => {
    const last = part?.at(-1)
    if (last !== undefined) part?.push({ kind: 'end', text: '', start: last.end, end: last.end, indent: 0 })
  }
  for (const token of tokens) {
    if (token.kind === 'end') break
    if (beginsEntity(token)) {
      finish()
      part = []
      parts.push(part)
    }
    if (part === undefined) reportOutside(token, report)
    else part.push(token)
    if (part === undefined && report.isFull) break
  }
  finish()
  return parts
}

/** Once for a line. */
function reportOutside(token: Token, report: Report): void {
  if (token.indent < 0) return
  if (token.text.toUpperCase() === 'DEFINE') {
    report.add('LOT2029', 'DEFINE stands at the beginning of its line, without indentation', token)
  } else if (token.indent === 0) {
    report.add('LOT2029', `Expected DEFINE, but found ${tokenName(token)}`, token)
  }
}

function parseEntity(
  source: Source,
  tokens: readonly Token[],
  report: Report,
  options: ParseOptions,
): Entity | undefined {
  const word = tokens[1]
  const kind = word.kind === 'word' ? kindOf(word.text) : undefined
  const cursor = new Cursor(source, tokens, report, kind ?? 'action', options)
  try {
    return cursor.line(() => {
      const start = cursor.expect('DEFINE')
      if (kind === undefined) return failOnKind(cursor, word)
      cursor.accept(word.text.toUpperCase())
      const entity = PARSERS[kind](cursor, start)
      reportRest(cursor, kind)
      return entity
    })
  } catch (thrown) {
    if (thrown instanceof SyntaxFailure) return undefined
    throw thrown
  }
}

function kindOf(word: string): EntityKind | undefined {
  const upper = word.toUpperCase()
  return Object.hasOwn(ENTITY_WORDS, upper) ? ENTITY_WORDS[upper] : undefined
}

function failOnKind(cursor: Cursor, word: Token): never {
  if (word.text.toUpperCase() === 'THING') {
    return cursor.failWith('LOT2016', 'A THING cannot be deployed: write a model and actions', word)
  }
  const kinds = Object.keys(ENTITY_WORDS)
  const nearest = word.kind === 'word' ? nearestSpelling(word.text, kinds) : undefined
  return cursor.fail(kinds, 'LOT2001', nearest)
}

/** What is left of the entity after its last part. */
function reportRest(cursor: Cursor, kind: EntityKind): void {
  if (cursor.atEnd()) return
  const token = cursor.peekRaw()
  if (token.indent > 0) {
    cursor.report.add('LOT2003', `Unexpected INDENT before ${tokenName(token)}`, token)
  } else if (token.indent < 0) {
    cursor.report.add('LOT2001', `Expected NEWLINE, but found ${tokenName(token)}: the line must end before it`, token)
  } else {
    const message = `Expected DEFINE, but found ${tokenName(token)}: lines of ${kind === 'action' ? 'an' : 'a'} ${kind} are indented`
    cursor.report.add('LOT2045', message, token)
  }
}
