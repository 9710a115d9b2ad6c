/** `merlot lot check`: what is wrong with LoT. */
import { counted } from '../base/counted.js'
import type { CommandContext, CommandDefinition } from './command.js'
import {
  CHECK_OPTIONS,
  type Checked,
  checkExit,
  diagnosticsToJson,
  errorCount,
  printProblems,
  readChecked,
  warningCount,
} from './lot-checked.js'
import { FILES_ARGUMENT } from './lot-options.js'

export const lotCheckCommand: CommandDefinition = {
  name: 'lot check',
  summary: 'Check LoT files, notebooks and projects; exit code 1 for errors',
  argument: FILES_ARGUMENT,
  options: CHECK_OPTIONS,
  examples: ['merlot lot check pump.lot', 'merlot lot check plant --strict', 'merlot lot check pump.lot --json'],
  async run(values, context) {
    const checked = await readChecked(values, context)
    if (values.flag('json')) context.stdout.write(`${JSON.stringify(toJson(checked), undefined, 2)}\n`)
    else print(checked, context)
    return checkExit(errorCount(checked), warningCount(checked), values)
  },
}

function toJson({ files, texts }: Checked): unknown {
  return { diagnostics: diagnosticsToJson(texts), problems: files.problems, warnings: texts.warnings }
}

function print(checked: Checked, context: CommandContext): void {
  printProblems(checked, context)
  const entities = checked.texts.texts.reduce((sum, { program }) => sum + program.entities.length, 0)
  const errors = errorCount(checked)
  const warnings = warningCount(checked)
  context.stdout.write(
    `${plural(entities, 'entity', 'entities')}: ${counted(errors, 'error')}, ${counted(warnings, 'warning')}\n`,
  )
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
