/** `merlot lot check`: what is wrong with LoT. */
import { diagnosticToJson, printDiagnostic } from '../lot/diagnostic-text.js'
import type { CommandContext, CommandDefinition } from './command.js'
import { ExitCode } from './exit.js'
import { type LotFiles, readLotFiles } from './lot-files.js'
import { COMPAT_OPTIONS, compatOf, FILES_ARGUMENT, JSON_OPTION } from './lot-options.js'
import { LotTexts, textName } from './lot-texts.js'
import { counted } from './store-options.js'

export const lotCheckCommand: CommandDefinition = {
  name: 'lot check',
  summary: 'Check LoT files, notebooks and projects; exit code 1 for errors',
  argument: FILES_ARGUMENT,
  options: [
    { flags: '--strict', kind: 'flag', doc: 'let warnings fail the check too' },
    ...COMPAT_OPTIONS,
    JSON_OPTION,
  ],
  examples: ['merlot lot check pump.lot', 'merlot lot check plant --strict', 'merlot lot check pump.lot --json'],
  async run(values, context) {
    const files = await readLotFiles(values.texts('files'), context)
    const texts = new LotTexts(files, compatOf(values))
    if (values.flag('json')) context.stdout.write(`${JSON.stringify(toJson(files, texts), undefined, 2)}\n`)
    else print(files, texts, context)
    const errors = texts.count('error') + files.problems.length
    const warnings = texts.count('warning') + texts.warnings.length
    return errors > 0 || (warnings > 0 && values.flag('strict')) ? ExitCode.failed : ExitCode.ok
  },
}

/** Diagnostics in the shape that the broker has too, each with its place in the files. */
function toJson(files: LotFiles, texts: LotTexts): unknown {
  return {
    diagnostics: texts.texts.flatMap(({ file, cell, source, diagnostics }) =>
      diagnostics.map((diagnostic) => ({ file, cell, ...diagnosticToJson(source, diagnostic) })),
    ),
    problems: files.problems,
    warnings: texts.warnings,
  }
}

function print(files: LotFiles, texts: LotTexts, { stdout }: CommandContext): void {
  for (const problem of files.problems) stdout.write(`${textName(problem)}: error: ${problem.message}\n`)
  for (const { source, diagnostics } of texts.texts) {
    for (const diagnostic of diagnostics) stdout.write(`${printDiagnostic(source, diagnostic)}\n`)
  }
  for (const warning of texts.warnings) stdout.write(`warning: ${warning}\n`)
  const entities = texts.texts.reduce((sum, { program }) => sum + program.entities.length, 0)
  const errors = texts.count('error') + files.problems.length
  const warnings = texts.count('warning') + texts.warnings.length
  stdout.write(
    `${plural(entities, 'entity', 'entities')}: ${counted(errors, 'error')}, ${counted(warnings, 'warning')}\n`,
  )
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
