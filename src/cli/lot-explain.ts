/** `merlot lot explain`: the catalogue of diagnostics. */
import { nearestSpelling } from '../base/spelling.js'
import { CATALOGUE, type CatalogueEntry } from '../lot/diagnostic-catalogue.js'
import type { CommandDefinition } from './command.js'
import { ExitCode, wrongUsage } from './exit.js'
import { JSON_OPTION } from './lot-options.js'

const ENTRIES: ReadonlyMap<string, CatalogueEntry> = new Map(
  Object.entries(CATALOGUE).toSorted(([one], [other]) => (one < other ? -1 : 1)),
)

export const lotExplainCommand: CommandDefinition = {
  name: 'lot explain',
  summary: 'Explain a diagnostic of LoT with an example, or list all of them',
  argument: { name: 'code', doc: 'such as LOT2013; none lists all', count: 'optional' },
  options: [JSON_OPTION],
  examples: ['merlot lot explain LOT2001', 'merlot lot explain'],
  async run(values, { stdout }) {
    const code = values.text('code')?.toUpperCase()
    if (code === undefined) {
      stdout.write(values.flag('json') ? `${JSON.stringify(Object.fromEntries(ENTRIES), undefined, 2)}\n` : listText())
      return ExitCode.ok
    }
    const entry = ENTRIES.get(code)
    if (entry === undefined) {
      const nearest = nearestSpelling(code, ENTRIES.keys())
      const remedy = 'merlot lot explain lists all'
      throw wrongUsage(`there is no diagnostic ${code}`, nearest ? `did you mean ${nearest}? ${remedy}` : remedy)
    }
    stdout.write(values.flag('json') ? `${JSON.stringify({ code, ...entry }, undefined, 2)}\n` : entryText(code, entry))
    return ExitCode.ok
  },
}

function listText(): string {
  return [...ENTRIES].map(([code, { severity, title }]) => `${code} ${severity.padEnd(7)} ${title}\n`).join('')
}

function entryText(code: string, { severity, title, explanation, wrong, right }: CatalogueEntry): string {
  return `${code} (${severity}): ${title}\n\n${explanation}\n\nWrong:\n${indented(wrong)}\n\nRight:\n${indented(right)}\n`
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '    ')
}
