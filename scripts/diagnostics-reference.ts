/** Writes docs/lot/diagnostics.md from the catalogue: `node dist/scripts/diagnostics-reference.js`. A test holds the two equal. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import { packageFolder } from '../src/base/version.js'
import { CATALOGUE, type CatalogueEntry } from '../src/lot/diagnostic-catalogue.js'

export const DIAGNOSTICS_FILE = join(packageFolder(), 'docs', 'lot', 'diagnostics.md')

const INTRODUCTION = `# Diagnostics

<!-- Generated from the catalogue in src/lot by scripts/diagnostics-reference.ts. Change the catalogue, then run it again. -->

What the broker, \`merlot lot check\` and editors say about a LoT text. An error keeps the entity from being deployed; a
warning does not. \`merlot lot explain CODE\` prints an entry of this page.
`

/** By what their codes begin with, the longest that fits. */
const GROUPS: readonly (readonly [prefix: string, title: string])[] = [
  ['LOT1', 'Characters and words'],
  ['LOT2', 'Syntax'],
  ['LOT30', 'Actions, and values of all kinds'],
  ['LOT31', 'Models'],
  ['LOT32', 'Rules'],
  ['LOT33', 'Routes'],
  ['LOT34', 'Panels and themes'],
  ['LOT4', 'Doubts'],
  ['LOT9', 'Layout'],
]

/** The page as it should stand in docs/lot/diagnostics.md. */
export function diagnosticsReference(): string {
  const entries = (Object.entries(CATALOGUE) as [string, CatalogueEntry][]).sort(([a], [b]) => (a < b ? -1 : 1))
  const groups = GROUPS.map(([prefix, title]) => {
    const own = entries.filter(([code]) => code.startsWith(prefix))
    const rows = own.map(
      ([code, { severity, title }]) => `| [${code}](#${code.toLowerCase()}) | ${severity} | ${title} |`,
    )
    return { title, own, table: ['| code | | |', '|---|---|---|', ...rows].join('\n') }
  })
  return [
    INTRODUCTION,
    ...groups.map(({ title, table }) => `## ${title}\n\n${table}\n`),
    ...groups.flatMap(({ own }) => own.map(([code, entry]) => sectionOf(code, entry))),
  ].join('\n')
}

/** @returns codes that belong to no group */
export function ungroupedCodes(): string[] {
  return Object.keys(CATALOGUE).filter((code) => !GROUPS.some(([prefix]) => code.startsWith(prefix)))
}

function sectionOf(code: string, { severity, title, explanation, wrong, right }: CatalogueEntry): string {
  return `### ${code}

**${title}** (${severity})

${explanation.trim()}

${fence(wrong)}

Instead:

${fence(right)}
`
}

function fence(text: string): string {
  return `\`\`\`lot\n${text.replace(/\n+$/, '')}\n\`\`\``
}

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(DIAGNOSTICS_FILE, diagnosticsReference())
