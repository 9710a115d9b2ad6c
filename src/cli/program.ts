/** The command line as a whole. The only importer of commander. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { programVersion } from '../base/version.js'
import { type CommandContext, type CommandDefinition, type OptionDefinition, OptionValues } from './command.js'
import { COMMANDS, commandsFor } from './commands.js'
import { CommandError, ExitCode, wrongUsage } from './exit.js'

/** Commands of two words, by their first. */
export const GROUPS: Readonly<Record<string, string>> = {
  audit: 'Check, search and export the audit trail',
  ban: 'Keep addresses, clients and users out of a running broker',
  lot: 'Check, format, try out and test LoT',
  python: 'Install, remove and list Python packages of a running broker',
  rule: 'Check rules, and ask who may do what',
  store: 'Look at, check, copy and move what the broker has stored',
  user: 'Add, change, list and remove users of a running broker',
}

const EXIT_CODES = `
Exit codes:
  0  success
  1  failed: could not listen, was refused, lost the connection; store verify: something is damaged; lot, rule check: errors, differences; rule test: denied
  2  wrong command line or configuration
  3  sub: not all messages of --count within --timeout
`

/**
 * Runs what the arguments ask for.
 * @param args without the program's name
 * @throws CommandError on wrong usage, and what commands throw
 */
export async function runProgram(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const [first, ...asked] = args
  if (first === 'help' && asked.length > 0) {
    const known = ['help', ...Object.keys(GROUPS), ...COMMANDS.keys()]
    if (!known.includes(asked.join(' '))) {
      throw wrongUsage(`unknown command '${asked.join(' ')}'`, 'merlot help lists all')
    }
    if (asked[0] !== 'help') return runProgram([...asked, '--help'], context)
  }
  let exitCode: ExitCode = ExitCode.ok
  const definitions = await commandsFor(args)
  const program = createProgram(definitions, context, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(definitions[0].arrange?.(args) ?? args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return endOfParsing(error, definitions[0].excessRemedy?.(args))
  }
  return exitCode
}

/** Help and version are thrown by commander too, and are no failures; help that nobody asked for is. */
function endOfParsing(error: CommanderError, excessRemedy: string | undefined): ExitCode {
  if (error.exitCode === 0) return ExitCode.ok
  if (error.code === 'commander.help') return ExitCode.wrongUsage
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
  throw new CommandError(message, remedyFor(error.code, excessRemedy), ExitCode.wrongUsage, { cause: error })
}

function remedyFor(code: string, excessRemedy: string | undefined): string {
  if (code === 'commander.unknownCommand') return 'merlot help lists all'
  if (code === 'commander.excessArguments' && excessRemedy !== undefined) return excessRemedy
  return 'merlot help COMMAND shows what a command accepts'
}

function createProgram(
  definitions: readonly CommandDefinition[],
  context: CommandContext,
  onExit: (exitCode: ExitCode) => void,
): Command {
  const program = new Command('merlot')
    .description('MQTT broker for plants, buildings and labs.')
    .version(programVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      outputError: () => {}, // printed once, with its remedy, by whoever called runProgram
    })
  const groups = new Map<string, Command>()
  for (const definition of definitions) {
    const [first, second] = definition.name.split(' ')
    if (second === undefined) addCommand(program, first, definition, context, onExit)
    else addCommand(groups.get(first) ?? addGroup(program, first, groups), second, definition, context, onExit)
  }
  return program
}

function addGroup(program: Command, name: string, groups: Map<string, Command>): Command {
  const group = program
    .command(name)
    .summary(GROUPS[name])
    .description(`${GROUPS[name]}.`)
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
  groups.set(name, group)
  return group
}

function addCommand(
  parent: Command,
  name: string,
  definition: CommandDefinition,
  context: CommandContext,
  onExit: (exitCode: ExitCode) => void,
): void {
  const { argument } = definition
  const command = parent
    .command(name)
    .summary(definition.summary)
    .description(`${definition.summary}.`)
    .helpOption(definition.ownsH ? '--help' : '-h, --help', 'print this help')
    .allowExcessArguments(false)
    .addHelpText('after', ['', 'Examples:', ...definition.examples.map((line) => `  ${line}`), ''].join('\n'))
    .action(async () => {
      const words = argument?.count === 'many' ? command.args : command.args[0]
      const given = argument === undefined ? {} : { [argument.name]: words }
      onExit(await definition.run(new OptionValues({ ...command.opts(), ...given }), context))
    })
  if (argument !== undefined) command.argument(argumentText(argument), argument.doc)
  for (const option of definition.options) command.addOption(commanderOption(option))
}

function argumentText({ name, count }: NonNullable<CommandDefinition['argument']>): string {
  if (count === 'optional') return `[${name}]`
  return count === 'many' ? `<${name}...>` : `<${name}>`
}

function commanderOption(definition: OptionDefinition): Option {
  const option = new Option(definition.flags, definition.doc)
  switch (definition.kind) {
    case 'choice':
      return option.choices(definition.choices)
    case 'integer':
      return option.argParser((text) => integerOf(text, definition.min, definition.max))
    case 'text':
      if (definition.repeatable !== true) return option
      return option.argParser((text, texts: readonly string[] | undefined) => [...(texts ?? []), text])
    case 'flag':
      return option
  }
}

function integerOf(text: string, min: number, max: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
  return value
}
