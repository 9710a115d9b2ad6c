/** `merlot check`: whether a broker can start with this configuration. */
import { counted } from '../base/counted.js'
import { checkConfig } from '../config/check.js'
import { checkUsers } from './check-users.js'
import type { CommandDefinition } from './command.js'
import { CONFIG_OPTIONS, loadFromOptions } from './config-options.js'
import { ExitCode } from './exit.js'

export const checkCommand: CommandDefinition = {
  name: 'check',
  summary: 'Check the configuration and the files, folders and ports it names',
  options: [...CONFIG_OPTIONS, { flags: '--strict', kind: 'flag', doc: 'let warnings fail the check too' }],
  examples: ['merlot check', 'merlot check --config /etc/merlot/merlot.yaml --strict'],
  async run(values, context) {
    const loaded = loadFromOptions(values, context)
    const findings = [...checkConfig(loaded.config, Date.now()), ...checkUsers(loaded.config, context.environment)]
    for (const warning of loaded.warnings) context.stderr.write(`warning: ${warning}\n`)
    for (const { severity, message, remedy } of findings) {
      context.stderr.write(`${severity}: ${message}\n${remedy === undefined ? '' : `  ${remedy}\n`}`)
    }
    const errors = findings.filter(({ severity }) => severity === 'error').length
    const warnings = findings.length - errors + loaded.warnings.length
    const source = loaded.file ?? 'the configuration without a file'
    if (errors > 0 || (warnings > 0 && values.flag('strict'))) {
      context.stderr.write(
        `merlot: ${source} failed the check: ${counted(errors, 'error')}, ${counted(warnings, 'warning')}\n`,
      )
      return ExitCode.wrongUsage
    }
    context.stdout.write(`${source} is valid${warnings === 0 ? '' : `, with ${counted(warnings, 'warning')}`}\n`)
    return ExitCode.ok
  },
}
