/** What commands about LoT have in common. */
import type { OptionDefinition, OptionValues } from './command.js'
import type { Compat } from './lot-texts.js'

export const FILES_ARGUMENT = {
  name: 'files',
  doc: '.lot and .lotnb files, folders (all below them), or - for standard input',
  count: 'many',
} as const

export const JSON_OPTION: OptionDefinition = { flags: '--json', kind: 'flag', doc: 'JSON, for programs' }

export const COMPAT_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--compat <version>', kind: 'choice', choices: ['v1', 'v2'], doc: 'spellings to accept (otherwise v2)' },
  { flags: '--strict-indent', kind: 'flag', doc: 'warnings about the layout are errors' },
]

export function compatOf(values: OptionValues): Compat {
  return { compat: values.text('compat') === 'v1' ? 'v1' : 'v2', strictIndent: values.flag('strictIndent') }
}
