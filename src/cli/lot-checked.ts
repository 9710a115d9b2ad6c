/** What commands that check LoT in files have in common. */
import { diagnosticToJson, printDiagnostic } from '../lot/diagnostic-text.js'
import type { CommandContext, OptionDefinition, OptionValues } from './command.js'
import { ExitCode } from './exit.js'
import { type LotFiles, readLotFiles } from './lot-files.js'
import { COMPAT_OPTIONS, compatOf, JSON_OPTION } from './lot-options.js'
import { LotTexts, textName } from './lot-texts.js'

export const CHECK_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--strict', kind: 'flag', doc: 'let warnings fail the check too' },
  ...COMPAT_OPTIONS,
  JSON_OPTION,
]

export interface Checked {
  readonly files: LotFiles
  readonly texts: LotTexts
}

export async function readChecked(values: OptionValues, context: CommandContext): Promise<Checked> {
  const files = await readLotFiles(values.texts('files'), context)
  return { files, texts: new LotTexts(files, compatOf(values)) }
}

export function errorCount({ files, texts }: Checked): number {
  return texts.count('error') + files.problems.length
}

export function warningCount({ texts }: Checked): number {
  return texts.count('warning') + texts.warnings.length
}

export function checkExit(errors: number, warnings: number, values: OptionValues): ExitCode {
  return errors > 0 || (warnings > 0 && values.flag('strict')) ? ExitCode.failed : ExitCode.ok
}

/** Diagnostics in the shape that the broker has too, each with its place in the files. */
export function diagnosticsToJson({ texts }: LotTexts): unknown[] {
  return texts.flatMap(({ file, cell, source, diagnostics }) =>
    diagnostics.map((diagnostic) => ({ file, cell, ...diagnosticToJson(source, diagnostic) })),
  )
}

export function printProblems({ files, texts }: Checked, { stdout }: CommandContext): void {
  for (const problem of files.problems) stdout.write(`${textName(problem)}: error: ${problem.message}\n`)
  for (const { source, diagnostics } of texts.texts) {
    for (const diagnostic of diagnostics) stdout.write(`${printDiagnostic(source, diagnostic)}\n`)
  }
  for (const warning of texts.warnings) stdout.write(`warning: ${warning}\n`)
}
