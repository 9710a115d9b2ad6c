import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { Source } from '../source.js'
import { parseProgram } from '../syntax/parse.js'
import { formatted, plainTree } from './formatted.fixture.js'
import { anyEntity } from './tree.arbitraries.fixture.js'

const NOWHERE = new Source('generated', '')

void t.test('any tree is read again as the same tree', async () => {
  fc.assert(
    fc.property(fc.array(anyEntity, { minLength: 1, maxLength: 2 }), (entities) => {
      const { source, program } = formatted(NOWHERE, { entities, comments: [] })
      const found = plainTree(program)
      if (found !== plainTree({ entities })) throw new Error(`another tree:\n${source.text}\n${found}`)
      if (formatted(source).source.text !== source.text) throw new Error(`not formatted:\n${source.text}`)
    }),
    { numRuns: 200 },
  )
})

const CASES = join('src', 'lot', 'syntax', 'cases')
const texts = readdirSync(CASES)
  .map((name) => readFileSync(join(CASES, name), 'utf8'))
  .filter((text) => parseProgram(new Source('case', text)).diagnostics.every(({ severity }) => severity === 'warning'))
const own = fc.constantFrom('// own', '  // deeper', '        /* block */', '-- old', '/* two\n lines */', '')
const behind = fc.constantFrom(' // behind', ' /* one */ // two', ' -- old', '\n')
/** Lines of a text from somewhere on: with what stands before and behind them. */
const decorations = fc.array(fc.tuple(fc.nat(400), fc.option(own), fc.option(behind)), { maxLength: 40 })

function decorated(text: string, places: readonly (readonly [number, string | null, string | null])[]): string {
  const lines = text.split('\n')
  for (const [at, before, after] of places) {
    const index = at % lines.length
    if (before !== null) lines[index] = `${before}\n${lines[index]}`
    if (after !== null) lines[index] += after
  }
  return lines.join('\n')
}

void t.test('comments survive wherever they stand', async (t) => {
  t.ok(texts.length >= 4)
  let whole = 0
  fc.assert(
    fc.property(fc.constantFrom(...texts), decorations, (text, places) => {
      const source = new Source('decorated', decorated(text, places))
      const { program, diagnostics } = parseProgram(source)
      // a decoration within a block comment can end it
      if (diagnostics.some(({ severity }) => severity === 'error')) return
      whole++
      const first = formatted(source)
      if (plainTree(first.program) !== plainTree(program)) throw new Error(`another tree:\n${first.source.text}`)
      const comments = program.comments.map((comment) => comment.text)
      if (first.comments.toSorted().join('\n') !== comments.toSorted().join('\n')) {
        throw new Error(`other comments:\n${first.source.text}`)
      }
      const again = formatted(first.source).source.text
      if (again !== first.source.text) throw new Error(`not formatted:\n${first.source.text}\n---\n${again}`)
    }),
    { numRuns: 100 },
  )
  t.ok(whole > 50, 'most of the texts could be read')
})
