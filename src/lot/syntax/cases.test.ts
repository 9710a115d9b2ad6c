/**
 * The files in `cases/` are LoT with the expected diagnostics on their lines: `// ! LOT2001 LOT2002`. Lines without a mark
 * have none.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CATALOGUE } from '../diagnostic-catalogue.js'
import { Source } from '../source.js'
import { parseProgram } from './parse.js'

// text files are not compiled: read beside the source, from the root of the project
const FOLDER = join('src', 'lot', 'syntax', 'cases')
const MARK = /\/\/ ! ((?:LOT\d{4} ?)+)/
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.lot'))

function expectedIn(source: Source): string[] {
  const expected: string[] = []
  for (let line = 1; line <= source.lineCount; line++) {
    const codes = MARK.exec(source.lineText(line))?.[1].trim().split(' ') ?? []
    for (const code of codes.toSorted()) expected.push(`${line} ${code}`)
  }
  return expected
}

function foundIn(source: Source): string[] {
  const found = parseProgram(source).diagnostics.map(({ code, span }) => ({
    line: source.positionOf(span.start).line,
    code,
  }))
  return found
    .toSorted((one, other) => one.line - other.line || (one.code < other.code ? -1 : 1))
    .map(({ line, code }) => `${line} ${code}`)
}

for (const name of files) {
  void t.test(name, async (t) => {
    const source = new Source(name, readFileSync(join(FOLDER, name), 'utf8'))
    t.same(foundIn(source), expectedIn(source))
  })
}

void t.test('every code of lexer and parser has a case', async (t) => {
  const texts = files.map((name) => readFileSync(join(FOLDER, name), 'utf8')).join('')
  // a comment without end, deep nesting and very many errors would hide the other cases of a file: see parse.test.ts
  const elsewhere = ['LOT1003', 'LOT2027', 'LOT2028']
  const codes = Object.keys(CATALOGUE).filter((code) => /^LOT[129]/.test(code) && !elsewhere.includes(code))
  t.same(
    codes.filter((code) => !texts.includes(code)),
    [],
  )
})
