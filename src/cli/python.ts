/** `merlot python`: Python packages of a running broker, by its commands. */
import { basename } from 'node:path'
import { checkName, WHEEL_BYTES_MAX } from '../python/wheel.js'
import { ADMINISTER_OPTIONS, administer } from './administer.js'
import type { CommandContext, CommandDefinition } from './command.js'
import { quoted } from './command-words.js'
import { readNamedFile } from './connection-options.js'
import { CommandError, ExitCode } from './exit.js'

export const pythonInstallCommand: CommandDefinition = {
  name: 'python install',
  summary: 'Install Python packages: wheels, or names that the broker finds in its folder of wheels',
  argument: { name: 'what', doc: 'wheels (FILE.whl), names, or name==version', count: 'many' },
  ownsH: true,
  options: ADMINISTER_OPTIONS,
  examples: ['merlot python install simple_pid-2.0.1-py3-none-any.whl', 'merlot python install inflection==0.5.1'],
  async run(values, context) {
    for (const what of values.texts('what')) {
      const exitCode = await administer(`-installPythonPackage ${installed(what, context)}`, values, context)
      if (exitCode !== ExitCode.ok) return exitCode
    }
    return ExitCode.ok
  },
}

export const pythonRemoveCommand: CommandDefinition = {
  name: 'python remove',
  summary: 'Remove a Python package',
  argument: { name: 'package', doc: 'name of the package' },
  ownsH: true,
  options: ADMINISTER_OPTIONS,
  examples: ['merlot python remove simple-pid'],
  run: (values, context) => administer(`-removePythonPackage ${quoted(values.text('package') ?? '')}`, values, context),
}

export const pythonListCommand: CommandDefinition = {
  name: 'python list',
  summary: 'List the Python packages that are installed',
  ownsH: true,
  options: ADMINISTER_OPTIONS,
  examples: ['merlot python list', 'merlot python list --json'],
  run: (values, context) => administer('-listPythonPackages', values, context),
}

/** @throws CommandError, BrokerError for a file that no broker would take */
function installed(what: string, context: CommandContext): string {
  if (!what.toLowerCase().endsWith('.whl')) return quoted(what)
  const name = basename(what)
  checkName(name)
  const bytes = readNamedFile(what, context)
  if (bytes.length > WHEEL_BYTES_MAX) {
    throw new CommandError(`${what} has more than ${WHEEL_BYTES_MAX} bytes`, 'only smaller wheels can be installed')
  }
  return `${quoted(name)} whl64:${bytes.toString('base64')}`
}
