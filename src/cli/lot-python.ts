/** Python for `merlot lot run`, `test` and `replay`. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { BrokerError, messageOf } from '../base/errors.js'
import { createSinkLogger } from '../base/log.js'
import type { OutsideCall } from '../lot/program.js'
import type { CommandContext, OptionDefinition, OptionValues } from './command.js'
import { CommandError } from './exit.js'
import type { Definitions } from './lot-definitions.js'

export const PYTHON_OPTIONS: readonly OptionDefinition[] = [
  {
    flags: '--python-module <name>',
    kind: 'text',
    repeatable: true,
    doc: 'module that Python scripts may import besides the usual ones, as in python.extraModules (repeatable)',
  },
  {
    flags: '--wheels <folder>',
    kind: 'text',
    doc: 'folder of wheels: of each Python package in it the newest is installed',
  },
]

/** What is outside of a simulation: Python, if there are scripts for what is called, and nothing else. */
export interface Outside {
  /** @throws Error for the user */
  answer(request: OutsideCall): string
  /** Scripts forget what they have kept in their variables. */
  begin(): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts Python if an action calls a script that is among the files: other simulations do not wait for it.
 * @param isAnswered whether a call, by `Script.function`, never gets here
 * @throws CommandError for scripts that cannot be loaded
 */
export async function openOutside(
  definitions: Definitions,
  values: OptionValues,
  context: CommandContext,
  isAnswered: (target: string) => boolean = () => false,
): Promise<Outside> {
  const called = new Set(definitions.pythonTargets.filter((target) => !isAnswered(target)).map(scriptOf))
  const scripts = definitions.scripts.filter(({ name }) => called.has(name))
  if (scripts.length === 0) return { answer: refuse, begin: async () => {}, stop: async () => {} }
  const wheels = values.text('wheels')
  const { SimulatedPython } = await import('../lot-simulator/simulated-python.js')
  try {
    const python = await SimulatedPython.start({
      scripts,
      extraModules: values.texts('pythonModule'),
      wheelsFolder: wheels === undefined ? undefined : resolve(context.workingDirectory, wheels),
      folder: snapshotFolder(context),
      log: createSinkLogger({ level: 'warn', areas: {} }, ({ message, fields }) => {
        context.stderr.write(`${message}: ${fields?.reason ?? ''}\n`)
      }),
      printed: (script, text) => context.stderr.write(`${script} prints: ${text.trimEnd()}\n`),
    })
    const known = new Set(scripts.map(({ name }) => name))
    return {
      answer: (request) => {
        return request.kind === 'python' && known.has(scriptOf(request.target)) ? python.call(request) : refuse(request)
      },
      begin: () => python.begin(),
      stop: () => python.stop(),
    }
  } catch (error) {
    const isPackage = error instanceof BrokerError && error.code === 'PACKAGE_REFUSED'
    throw new CommandError(messageOf(error), isPackage ? undefined : 'correct the script; a broker would refuse it too')
  }
}

function refuse(request: OutsideCall): never {
  if (request.kind !== 'python') throw new Error('routes and services do not run here')
  throw new Error(`the Python script ${scriptOf(request.target)} is not among the files; name its file too`)
}

/** `Script` of `Script.function`. */
function scriptOf(target: string): string {
  return target.split('.', 1)[0]
}

/** Where programs of this user keep what can be made again. */
function snapshotFolder({ environment }: CommandContext): string {
  const usual = process.platform === 'win32' ? environment.LOCALAPPDATA : undefined
  return join(environment.XDG_CACHE_HOME || usual || join(homedir(), '.cache'), 'merlot', 'python')
}
