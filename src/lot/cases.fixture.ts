/** For tests: files of LoT with the expected diagnostics on their lines, `// ! LOT2001 LOT2002`; lines without have none. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Diagnostic } from './diagnostics.js'
import { Source } from './source.js'

const MARK = /\/\/ ! ((?:LOT\d{4} ?)+)/

/** @param stage a folder beside this file that has a folder `cases` */
export function casesOf(stage: string): readonly Source[] {
  // text files are not compiled: read beside the source, from the root of the project
  const folder = join('src', 'lot', stage, 'cases')
  const names = readdirSync(folder).filter((name) => name.endsWith('.lot'))
  return names.map((name) => new Source(name, readFileSync(join(folder, name), 'utf8')))
}

/** @returns `12 LOT2001` in order, as `foundIn` does */
export function expectedIn(source: Source): readonly string[] {
  return Array.from({ length: source.lineCount }, (_, index) => index + 1).flatMap((line) => {
    const codes = MARK.exec(source.lineText(line))?.[1].trim().split(' ') ?? []
    return codes.toSorted().map((code) => `${line} ${code}`)
  })
}

export function foundIn(source: Source, diagnostics: readonly Diagnostic[]): readonly string[] {
  return diagnostics
    .map(({ code, span }) => ({ line: source.positionOf(span.start).line, code }))
    .toSorted((one, other) => one.line - other.line || (one.code < other.code ? -1 : 1))
    .map(({ line, code }) => `${line} ${code}`)
}
