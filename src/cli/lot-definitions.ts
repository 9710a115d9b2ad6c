/** Texts made ready for a simulation, and where what happens there stands in them. */

import { references } from '../lot/compile/reads.js'
import { printDiagnostic } from '../lot/diagnostic-text.js'
import { LotCompileError } from '../lot/program.js'
import { splitEntities } from '../lot/syntax/split.js'
import type { Definition, SimulatedEvent, Simulator } from '../lot-simulator/simulator.js'
import type { CommandContext } from './command.js'
import { CommandError } from './exit.js'
import { type PythonText, readLotFiles } from './lot-files.js'
import { type Compat, LotTexts, textName } from './lot-texts.js'

interface PlacedDefinition extends Definition {
  /** `plant.lot`, `plant.lotnb cell 3` */
  readonly text: string
  /** Of the first line of `source`. */
  readonly line: number
  /** `Script.function`, of all that it calls. */
  readonly pythonTargets: readonly string[]
}

export class Definitions {
  readonly #byKey = new Map<string, PlacedDefinition>()
  /** @param scripts the Python that stands beside the texts, or that the broker has */
  constructor(
    texts: Pick<LotTexts, 'texts'>,
    readonly scripts: readonly PythonText[],
  ) {
    for (const text of texts.texts) {
      for (const { kind, name, text: source, line } of splitEntities(text.text)) {
        if (kind !== 'action' && kind !== 'model') continue
        const node = text.program.entities.find((entity) => entity.kind === kind && entity.name.text === name)
        const pythonTargets = node?.kind === 'action' ? references(node).pythonTargets : []
        this.#byKey.set(`${kind} ${name}`, { kind, name, source, text: textName(text), line, pythonTargets })
      }
    }
  }

  /** `Script.function`, of all that is called. */
  get pythonTargets(): readonly string[] {
    return [...this.#byKey.values()].flatMap(({ pythonTargets }) => pythonTargets)
  }

  /** @returns the same with the scripts of `others` that it lacks */
  withScriptsOf(others: Definitions): Definitions {
    const missing = others.scripts.filter(({ name }) => !this.scripts.some((own) => own.name === name))
    const all = new Definitions({ texts: [] }, [...this.scripts, ...missing])
    for (const [key, definition] of this.#byKey) all.#byKey.set(key, definition)
    return all
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0
  }

  /** Those that the others have too, by kind and name, with the parents of models. */
  sharedWith(others: Definitions): Definitions {
    const shared = new Definitions({ texts: [] }, this.scripts)
    const take = (key: string): void => {
      const definition = this.#byKey.get(key)
      if (definition === undefined || shared.#byKey.has(key)) return
      shared.#byKey.set(key, definition)
      for (const used of usedBy(definition)) take(used)
    }
    for (const key of others.#byKey.keys()) take(key)
    return shared
  }

  /** @throws CommandError where the compiler refuses what the checker let pass */
  deployTo(simulator: Simulator): void {
    try {
      simulator.deploy([...this.#byKey.values()])
    } catch (error) {
      if (!(error instanceof LotCompileError)) throw error
      throw new CommandError(error.message, undefined)
    }
  }

  /** @returns `plant.lot:12` of a failure; undefined where it has no place */
  placeOf(event: SimulatedEvent): string | undefined {
    const { kind, name } = event.entity
    const found = this.#byKey.get(`${kind} ${name}`)
    if (found === undefined || event.kind !== 'failure' || event.line === undefined) return undefined
    return `${found.text}:${found.line + event.line - 1}`
  }
}

/** Keys of the models and actions that a text names. */
function usedBy({ source }: Definition): string[] {
  const model = source.matchAll(/\b(?:FROM|OF|PUBLISH[ \t]+MODEL)[ \t]+"?(\w+)/g)
  const action = source.matchAll(/\bCALL[ \t]+ACTION[ \t]+"?(\w+)/g)
  return [...[...model].map(([, name]) => `model ${name}`), ...[...action].map(([, name]) => `action ${name}`)]
}

/**
 * Reads and checks; warnings are left out.
 * @throws CommandError after the errors have been printed on standard error
 */
export async function readDefinitions(
  names: readonly string[],
  compat: Compat,
  context: CommandContext,
): Promise<Definitions> {
  const files = await readLotFiles(names, context)
  const texts = new LotTexts(files, compat)
  for (const problem of files.problems) context.stderr.write(`${textName(problem)}: error: ${problem.message}\n`)
  for (const { source, diagnostics } of texts.texts) {
    for (const diagnostic of diagnostics) {
      if (diagnostic.severity === 'error') context.stderr.write(`${printDiagnostic(source, diagnostic)}\n`)
    }
  }
  if (texts.count('error') + files.problems.length > 0) {
    throw new CommandError(
      'nothing was run: there are errors in LoT',
      'correct them; "merlot lot check" shows them too',
    )
  }
  return new Definitions(texts, files.scripts)
}
