/**
 * The files in `cases/` are LoT that can be read, with the expected findings on their lines: `// ! LOT3001 LOT4001`.
 * Lines without a mark have none.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Source } from '../source.js'
import { parseProgram } from '../syntax/parse.js'
import { checkProgram } from './check.js'
import { CHECK_CATALOGUE } from './check-catalogue.js'

// text files are not compiled: read beside the source, from the root of the project
const FOLDER = join('src', 'lot', 'check', 'cases')
const MARK = /\/\/ ! ((?:LOT\d{4} ?)+)/
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.lot'))
const WORLD = {
  model: () => undefined,
  python: (script: string) => (script === 'Statistics' ? ['average'] : undefined),
}

function expectedIn(source: Source): string[] {
  return Array.from({ length: source.lineCount }, (_, index) => index + 1).flatMap((line) => {
    const codes = MARK.exec(source.lineText(line))?.[1].trim().split(' ') ?? []
    return codes.toSorted().map((code) => `${line} ${code}`)
  })
}

function foundIn(source: Source): string[] {
  const { program, diagnostics } = parseProgram(source)
  return [...diagnostics, ...checkProgram(program, WORLD)]
    .map(({ code, span }) => ({ line: source.positionOf(span.start).line, code }))
    .toSorted((one, other) => one.line - other.line || (one.code < other.code ? -1 : 1))
    .map(({ line, code }) => `${line} ${code}`)
}

for (const name of files) {
  void t.test(name, async (t) => {
    const source = new Source(name, readFileSync(join(FOLDER, name), 'utf8'))
    t.same(foundIn(source), expectedIn(source))
  })
}

void t.test('every code of the checker has a case', async (t) => {
  const texts = files.map((name) => readFileSync(join(FOLDER, name), 'utf8')).join('')
  // priorities of version 1: see check.test.ts
  const codes = Object.keys(CHECK_CATALOGUE).filter((code) => code !== 'LOT4201')
  t.same(
    codes.filter((code) => !texts.includes(code)),
    [],
  )
})
