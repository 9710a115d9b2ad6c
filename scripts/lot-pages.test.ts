/** The LoT in the documentation is well formed, laid out as the formatter does it, and does what the pages say. */
import t from 'tap'
import { checkProgram } from '../src/lot/check/check.js'
import type { Diagnostic } from '../src/lot/diagnostics.js'
import { formatProgram } from '../src/lot/format/format.js'
import { Source } from '../src/lot/source.js'
import { parseProgram } from '../src/lot/syntax/parse.js'
import { EXPRESSION_WORDS, STATEMENT_WORDS } from '../src/lot/syntax/words.js'
import { readPage } from './docs-examples.fixture.js'
import { isLike, type LotExample, lotExamples, lotPages } from './lot-pages.fixture.js'
import { LotPlayer } from './lot-player.fixture.js'

const GENERATED = 'docs/lot/diagnostics.md'
const words = process.argv.slice(2)
const pages = lotPages().filter((page) => page !== GENERATED && words.every((word) => page.includes(word)))

t.test('what the pages show', async (t) => {
  for (const page of pages) {
    for (const example of lotExamples(page)) {
      const place = `${page}:${example.line}`
      const { formatted, diagnostics } = examine(example)
      if (example.purpose === 'wrong') {
        t.same(diagnostics.map(({ code }) => code).sort(), [...example.codes].sort(), place)
        continue
      }
      t.same(
        diagnostics.map(({ message }) => message),
        [],
        place,
      )
      t.equal(formatted, example.lot, `${place} as the formatter writes it`)
      if (example.purpose === 'run') t.ok(example.steps.length > 1 || example.steps[0]?.expected.length > 0, place)
    }
  }
})

t.test('what the pages say that it does', { timeout: 120_000 }, async (t) => {
  const player = new LotPlayer(t)
  for (const page of pages) {
    for (const example of lotExamples(page)) {
      if (example.purpose !== 'run') continue
      t.same(await player.play(example), [], `${page}:${example.line}`)
    }
  }
})

t.test('every word that begins a statement or a value is explained', async (t) => {
  const text = lotPages()
    .filter((page) => page !== GENERATED)
    .map((page) => readPage(page))
    .join('\n')
  for (const word of [...STATEMENT_WORDS, ...EXPRESSION_WORDS]) t.match(text, new RegExp(`\\b${word}\\b`), word)
})

t.test('lines of examples', async (t) => {
  t.ok(isLike('< a {"ts":"…","n":1}', '< a {"ts":"2026","n":1}'))
  t.notOk(isLike('< a {"n":1}', '< a {"n":10}'))
  t.notOk(isLike('< a 1.5', '< a 1x5'))
})

function examine({ page, lot }: LotExample): {
  readonly formatted: string
  readonly diagnostics: readonly Diagnostic[]
} {
  const source = new Source(page, lot)
  const { program, diagnostics } = parseProgram(source)
  const all = [...diagnostics, ...checkProgram(program)]
  const isBroken = diagnostics.some(({ severity }) => severity === 'error')
  return { formatted: isBroken ? '' : formatProgram(source, program), diagnostics: all }
}
