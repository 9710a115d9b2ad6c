/** Whatever the text, the parser answers: with a tree whose places lie within it, in a time that grows with its length. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { Source } from '../source.js'
import { parseProgram } from './parse.js'
import { splitEntities } from './split.js'

const FOLDER = join('src', 'lot', 'syntax', 'cases')
const CASES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.lot'))
  .map((name) => readFileSync(join(FOLDER, name), 'utf8'))
/** Words, strings, symbols and line ends with their indentation, as the cases have them. */
const PIECES = [...new Set(CASES.join('\n').match(/\n *|[A-Za-z_]+|"[^"\n]*"|\d+|\{\w+\}|[^\s\w]/g))]

/** Walks the tree: every span lies within the text. */
function checkSpans(node: unknown, length: number): void {
  const stack: unknown[] = [node]
  while (stack.length > 0) {
    const next = stack.pop()
    if (typeof next !== 'object' || next === null) continue
    if ('start' in next && 'end' in next) {
      const { start, end } = next as { start: number; end: number }
      if (!(0 <= start && start <= end && end <= length)) throw new Error(`span ${start}–${end} of ${length}`)
    }
    stack.push(...Object.values(next))
  }
}

function parseAnything(text: string): void {
  const source = new Source('any', text)
  const { program, diagnostics } = parseProgram(source, { strictIndent: text.length % 2 === 0 })
  checkSpans([program, diagnostics], source.text.length)
  for (const [index, { span }] of diagnostics.entries()) {
    if (index > 0 && span.start < diagnostics[index - 1].span.start) throw new Error('not sorted')
  }
  splitEntities(text)
}

void t.test('random text', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 100 }), parseAnything), { numRuns: 200 })
  fc.assert(fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 200 }), parseAnything), { numRuns: 200 })
})

void t.test('words in any order', async () => {
  const soup = fc.array(fc.constantFrom(...PIECES), { maxLength: 80 }).map((pieces) => pieces.join(' '))
  const entity = fc.tuple(fc.constantFrom('ACTION', 'MODEL', 'ROUTE', 'RULE', 'PANEL', 'THEME'), soup)
  fc.assert(
    fc.property(entity, ([kind, text]) => parseAnything(`DEFINE ${kind} X ${text}`)),
    { numRuns: 800 },
  )
})

void t.test('good texts with parts cut out, doubled or moved', async () => {
  const mutation = fc.record({
    text: fc.constantFrom(...CASES),
    from: fc.nat(4_000),
    length: fc.nat(120),
    to: fc.nat(4_000),
  })
  fc.assert(
    fc.property(mutation, ({ text, from, length, to }) => {
      const part = text.slice(from, from + length)
      const without = text.slice(0, from) + text.slice(from + length)
      parseAnything(without)
      parseAnything(without.slice(0, to) + part + without.slice(to))
      parseAnything(text.slice(0, to) + part)
    }),
    { numRuns: 60 },
  )
})

void t.test('nesting without end is refused, and a long text takes its length', async (t) => {
  const deep = [
    `SET "x" WITH ${'('.repeat(10_000)}`,
    `SET "x" WITH ${'['.repeat(10_000)}`,
    `SET "x" WITH ${'{"a":'.repeat(10_000)}`,
    `SET "x" WITH ${'- '.repeat(10_000)}1`,
    `SET "x" WITH ${'NOT '.repeat(10_000)}1`,
    `SET "x" WITH ${'TRIM '.repeat(10_000)}PAYLOAD`,
    `SET "x" WITH ${'GET TOPIC '.repeat(10_000)}"a"`,
    `SET "x" WITH ${'IF 1 THEN '.repeat(10_000)}1`,
    `SET "x" WITH ${'REPLACE "a" WITH '.repeat(10_000)}1`,
    `SET "x" WITH 1${' + 1'.repeat(10_000)}`,
    `SET "x" WITH 1${' AS INT'.repeat(10_000)}`,
    `SET "x" WITH 1${' OR 1'.repeat(10_000)}`,
    `SET "x" WITH ${'('.repeat(90)}1${` ${'+ 1'.repeat(500)})`.repeat(90)}`,
    'IF 1 THEN '.repeat(10_000),
    Array.from({ length: 2_000 }, (_, level) => `${' '.repeat(level)}LOOP`).join('\n    '),
  ]
  for (const statement of deep) {
    const source = new Source('deep', `DEFINE ACTION A\nON START DO\n    ${statement}\n`)
    const codes = parseProgram(source).diagnostics.map(({ code }) => code)
    t.ok(codes.includes('LOT2027'), statement.slice(0, 40))
  }
  const rule = `DEFINE RULE R WITH PRIORITY 150 FOR Connect\n    IF ${'NOT ('.repeat(20_000)}`
  t.equal(parseProgram(new Source('deep', rule)).diagnostics[0]?.code, 'LOT2027')
})

void t.test('time grows with the length', async (t) => {
  const texts = [
    (count: number) => CASES[0].repeat(count / 20),
    (count: number) => '"'.repeat(count),
    (count: number) => '“'.repeat(count),
    (count: number) => '/*'.repeat(count),
    (count: number) => '{a'.repeat(count),
    (count: number) => 'DEFINE ACTION A\n'.repeat(count),
    (count: number) => `DEFINE ACTION A\nON START DO\n${'    x\n'.repeat(count)}`,
    (count: number) => `DEFINE ACTION A\nON START DO\n${'    SET "a" WITH (\n'.repeat(count)}`,
    (count: number) => `DEFINE MODEL M\n${'    ADD "a" WITH a.b.c\n'.repeat(count)}`,
  ]
  for (const [index, text] of texts.entries()) {
    const long = text(10_000)
    const start = performance.now()
    parseAnything(long)
    const bytesPerMs = long.length / (performance.now() - start)
    // the slowest makes a hundred times more, with a quadratic step less than one
    t.ok(bytesPerMs > 3, `text ${index}: ${Math.round(bytesPerMs)} characters per ms`)
  }
})
