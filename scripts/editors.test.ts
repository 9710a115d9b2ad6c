import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { packageFolder } from '../src/base/version.js'
import { KEYWORD_HELP } from '../src/lot/server/keyword-help.js'
import { ENTITY_WORDS } from '../src/lot/syntax/parse.js'

const SYNTAX = fileURLToPath(new URL('../src/lot/syntax', import.meta.url))
/** Names of kinds of tokens in messages. */
const NO_KEYWORDS = /^(LOT\d+|NEWLINE|IDENTIFIER|NUMBER)$/

interface Rule {
  readonly match?: string
  readonly begin?: string
  readonly end?: string
  readonly include?: string
  readonly patterns?: readonly Rule[]
}

interface Grammar {
  readonly patterns: readonly Rule[]
  readonly repository: Readonly<Record<string, Rule>>
}

const grammar = JSON.parse(readFileSync(join(packageFolder(), 'editors', 'lot.tmLanguage.json'), 'utf8')) as Grammar

function* rules(rule: Rule): Generator<Rule> {
  yield rule
  for (const inner of rule.patterns ?? []) yield* rules(inner)
}

const all = [...grammar.patterns, ...Object.values(grammar.repository)].flatMap((rule) => [...rules(rule)])

function keywords(): Set<string> {
  const words = new Set(Object.keys(ENTITY_WORDS))
  for (const file of readdirSync(SYNTAX)) {
    if (!file.endsWith('.js') || /catalogue|test/.test(file)) continue
    const text = readFileSync(join(SYNTAX, file), 'utf8')
    for (const [, word] of text.matchAll(/'([A-Z][A-Z0-9_]+)'/g)) if (!NO_KEYWORDS.test(word!)) words.add(word!)
  }
  return words
}

t.test('the patterns of the grammar are regular expressions, and every include leads somewhere', async (t) => {
  for (const { match, begin, end, include } of all) {
    for (const pattern of [match, begin, end]) {
      if (pattern !== undefined) t.doesNotThrow(() => new RegExp(pattern), pattern)
    }
    if (include !== undefined) t.ok(grammar.repository[include.slice(1)], include)
  }
})

t.test('every keyword of the parser has a colour, and what has a colour beside it is a keyword', async (t) => {
  const known = keywords()
  t.ok(known.size > 100)
  const lists = ['control', 'operators', 'types', 'constants', 'supports', 'times', 'keywords']
  const patterns = lists.map((name) => new RegExp(`^(?:${grammar.repository[name]?.match})$`))
  for (const word of known)
    t.ok(
      patterns.some((pattern) => pattern.test(word)),
      word,
    )
  for (const word of Object.keys(KEYWORD_HELP)) t.ok(known.has(word), `the help of ${word}`)
})

t.test('what the rules find in a text', async (t) => {
  const first = (name: string, text: string): string | undefined =>
    new RegExp(grammar.repository[name]?.match ?? '', 'm').exec(text)?.[0]
  t.equal(first('header', 'DEFINE ACTION Pump-1\nON'), 'DEFINE ACTION Pump-1')
  t.equal(first('variable', 'WITH {a.b} + 1'), '{a.b}')
  t.equal(first('number', 'WITH 1.5e3'), '1.5e3')
  t.equal(first('times', 'EVERY 5 SECONDS DO'), 'SECONDS')
  t.equal(first('types', 'INTERACT AS INT'), 'INT')
})
