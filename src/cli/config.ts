/** `merlot config`: the effective configuration with the origin of each value. */
import { type EffectiveValue, effectiveValues } from '../config/effective.js'
import { pathText } from '../config/keys.js'
import type { LoadedConfig } from '../config/load.js'
import { originText } from '../config/origin.js'
import type { CommandDefinition } from './command.js'
import { CONFIG_OPTIONS, loadFromOptions } from './config-options.js'
import { ExitCode } from './exit.js'

const HIDDEN = '(hidden)'

export const configCommand: CommandDefinition = {
  name: 'config',
  summary: 'Print the effective configuration with the origin of each value',
  options: [
    ...CONFIG_OPTIONS,
    { flags: '--changed', kind: 'flag', doc: 'only values that are not defaults' },
    { flags: '--json', kind: 'flag', doc: 'a JSON array of key, value and origin' },
  ],
  examples: ['merlot config', 'merlot config --config merlot.yaml --changed', 'merlot config --port 1884 --json'],
  async run(values, context) {
    const loaded = loadFromOptions(values, context)
    const lines = [...effectiveValues(loaded.config)]
      .filter(({ value }) => value !== undefined)
      .map((effective) => lineOf(effective, loaded))
      .filter(({ origin }) => !values.flag('changed') || origin !== 'default')
    context.stdout.write(values.flag('json') ? `${JSON.stringify(lines, undefined, 2)}\n` : tableOf(lines))
    return ExitCode.ok
  },
}

interface ConfigLine {
  readonly key: string
  readonly value: unknown
  readonly origin: string
}

function lineOf({ path, node, value }: EffectiveValue, loaded: LoadedConfig): ConfigLine {
  return { key: pathText(path), value: node.secret ? HIDDEN : value, origin: originText(loaded.originOf(path)) }
}

function tableOf(lines: readonly ConfigLine[]): string {
  const rows = lines.map(({ key, value, origin }) => [key, String(value), origin] as const)
  const keyWidth = Math.max(0, ...rows.map(([key]) => key.length))
  const valueWidth = Math.max(0, ...rows.map(([, value]) => value.length))
  return rows
    .map(([key, value, origin]) => `${key.padEnd(keyWidth)} = ${value.padEnd(valueWidth)}  # ${origin}\n`)
    .join('')
}
