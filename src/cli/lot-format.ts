/** `merlot lot fmt`: LoT in its canonical layout. */
import { writeFile } from 'node:fs/promises'
import { printDiagnostic } from '../lot/diagnostic-text.js'
import { formatProgram } from '../lot/format/format.js'
import { Source } from '../lot/source.js'
import { parseProgram } from '../lot/syntax/parse.js'
import { dedentCommon } from '../lot/syntax/split.js'
import { readNotebook } from '../projects/notebook.js'
import { rewriteNotebook } from '../projects/rewrite-notebook.js'
import type { CommandContext, CommandDefinition } from './command.js'
import { ExitCode } from './exit.js'
import { type FileKind, type NamedFile, readNamed, utf8Text } from './lot-files.js'

const FORMATTED: FileKind = { ending: /\.(lot|lotnb)$/i, remedy: 'give .lot or .lotnb files, or a folder' }

import { COMPAT_OPTIONS, compatOf, FILES_ARGUMENT } from './lot-options.js'
import { type Compat, textName } from './lot-texts.js'

export const lotFormatCommand: CommandDefinition = {
  name: 'lot fmt',
  summary: 'Rewrite LoT files and the cells of notebooks in the canonical layout',
  argument: FILES_ARGUMENT,
  options: [
    { flags: '--check', kind: 'flag', doc: 'write nothing; exit code 1 if a file would change' },
    { flags: '--stdout', kind: 'flag', doc: 'print the result instead of writing files' },
    ...COMPAT_OPTIONS,
  ],
  examples: ['merlot lot fmt pump.lot', 'merlot lot fmt plant --check', 'merlot lot fmt - < pump.lot'],
  async run(values, context) {
    const toStdout = values.flag('stdout')
    const isCheck = values.flag('check')
    let exitCode: ExitCode = ExitCode.ok
    for (const file of await readNamed(values.texts('files'), context, FORMATTED)) {
      const before = utf8Text(file.bytes)
      const outcome = formatFile(file, before, compatOf(values))
      for (const problem of outcome.problems) context.stderr.write(`${problem}\n`)
      if (outcome.problems.length > 0) exitCode = ExitCode.failed
      if (isCheck) {
        if (outcome.text === before) continue
        context.stdout.write(`${file.name} would change\n`)
        exitCode = ExitCode.failed
      } else if (toStdout || file.path === '-') context.stdout.write(outcome.text)
      else if (outcome.text !== before) await write(file, outcome.text, context)
    }
    return exitCode
  },
}

async function write({ name, path }: NamedFile, text: string, context: CommandContext): Promise<void> {
  await writeFile(path, text)
  context.stdout.write(`${name}\n`)
}

interface Formatted {
  /** Texts with errors stay as they are. */
  readonly text: string
  readonly problems: readonly string[]
}

function formatFile({ name }: NamedFile, text: string | undefined, compat: Compat): Formatted {
  if (text === undefined) return { text: '', problems: [`${name}: the file is not UTF-8 text`] }
  return /\.lotnb$/i.test(name) ? formatNotebook(name, text, compat) : formatText(name, text, compat)
}

/** Cells keep ending without a line end, as editors store them. */
function formatNotebook(name: string, text: string, compat: Compat): Formatted {
  const { cells, problems } = readNotebook(text)
  const told = problems.map(({ cell, message }) => `${textName({ file: name, cell })}: ${message}`)
  const changed = new Map<number, string>()
  for (const { number, language, text: before } of cells) {
    if (language !== 'lot') continue
    const formatted = formatText(textName({ file: name, cell: number }), before, compat)
    told.push(...formatted.problems)
    const after = /\n$/.test(before) ? formatted.text : formatted.text.trimEnd()
    if (after !== before) changed.set(number, after)
  }
  return { text: changed.size === 0 ? text : rewriteNotebook(text, changed), problems: told }
}

function formatText(name: string, text: string, compat: Compat): Formatted {
  const source = new Source(name, dedentCommon(text))
  const { program, diagnostics } = parseProgram(source, compat)
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) return { text, problems: errors.map((error) => printDiagnostic(source, error)) }
  if (program.entities.length === 0 && program.comments.length === 0) return { text, problems: [] }
  const formatted = formatProgram(source, program)
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : ''
  return { text: mark + (/\r\n/.test(text) ? formatted.replaceAll('\n', '\r\n') : formatted), problems: [] }
}
