/** Python scripts in the registry: checked by Python itself, kept, and loaded again at a start. */
import { messageOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import type { AddedScript } from '../python/scripts.js'
import type { Changes } from './changes.js'
import { addedText } from './deploy.js'
import { removeEntity } from './entity-commands.js'
import { entryKey, KIND_TITLES, type PythonEntry } from './entry.js'
import { failure, type Reply, success } from './envelope.js'
import type { Library } from './library.js'
import { type Problem, parsingErrorText } from './problem.js'
import { type PackageRunner, PythonPackages } from './python-packages.js'

/** What runs Python. */
export interface PythonScripts extends PackageRunner {
  /**
   * Checks a script and puts it to work, in place of one with the same name.
   * @param fallbackName if it has no header
   * @param isKept it was accepted before: if it is refused now, it is tried again when packages change
   */
  add(text: string, fallbackName?: string, isKept?: boolean): Promise<AddedScript>
  /** @returns whether there was one */
  remove(name: string): Promise<boolean>
}

const KIND = KIND_TITLES.python

export class PythonLibrary {
  /** Scripts are added and removed one after the other, so that the last command holds. */
  #turn: Promise<unknown> = Promise.resolve()
  readonly #packages: PythonPackages

  /** @param wheelsFolder empty for none */
  constructor(
    private readonly library: Library,
    private readonly changes: Changes,
    private readonly scripts: PythonScripts | undefined,
    wheelsFolder: string,
    private readonly log: Logger,
  ) {
    this.#packages = new PythonPackages({ library, changes, runner: scripts, wheelsFolder, log })
  }

  /** @param fallbackName of a script without header, as old notebooks have it */
  add(text: string, fallbackName?: string): Promise<Reply> {
    return this.#inTurn(() => this.#add(text, fallbackName))
  }

  remove(name: string): Promise<Reply> {
    return this.#inTurn(async () => {
      const reply = await this.changes.make((draft) => removeEntity(draft, 'python', name))
      if (reply.success) await this.scripts?.remove(name)
      return reply
    })
  }

  removeAll(): Promise<Reply> {
    return this.#inTurn(async () => {
      const names = await this.changes.make((draft) => draft.removeAll('python'))
      for (const name of names) await this.scripts?.remove(name)
      return success('removed all python scripts successfully', { data: { removed: names.length } })
    })
  }

  /** @param words what follows the name of the command */
  installPackage(words: readonly string[]): Promise<Reply> {
    return this.#inTurn(() => this.#packages.install(words))
  }

  removePackage(name: string): Promise<Reply> {
    return this.#inTurn(() => this.#packages.remove(name))
  }

  listPackages(): Reply {
    return this.#packages.list()
  }

  /** Puts all packages and scripts to work that are kept; they are known before, so nobody waits for this. */
  async loadAll(): Promise<void> {
    const { scripts, library, log } = this
    const kept = [...library.entities.values()].filter((entry) => entry.kind === 'python')
    if (scripts === undefined) return
    await this.#inTurn(async () => {
      await this.#packages.keepAll()
      for (const { name, source } of kept) {
        try {
          const added = await scripts.add(source, name, true)
          if (added.kind === 'refused')
            log.error('a Python script cannot be loaded', { script: name, reason: added.message })
        } catch (error) {
          log.error('a Python script cannot be loaded', { script: name, reason: messageOf(error) })
        }
      }
    })
  }

  async #add(text: string, fallbackName: string | undefined): Promise<Reply> {
    const { scripts, changes, library } = this
    if (scripts === undefined) return failure('Python is not available')
    const added = await scripts.add(text, fallbackName)
    if (added.kind === 'refused') return refusedReply(added, text)
    const { name, functions } = added.script
    const before = library.entities.get(entryKey('python', name))
    const entry: PythonEntry = { kind: 'python', name, source: text, functions, warnings: [] }
    try {
      await changes.make((draft) => draft.deploy(entry))
    } catch (error) {
      // it could not be kept: the one of before stays
      if (before === undefined) await scripts.remove(name)
      else await scripts.add(before.source, name)
      throw error
    }
    return success(addedText('python', name), { entity: { type: KIND, name }, data: { functions } })
  }

  #inTurn<Answer>(task: () => Promise<Answer>): Promise<Answer> {
    const answer = this.#turn.then(task)
    this.#turn = answer.catch(() => {})
    return answer
  }
}

function refusedReply({ name, message, line, column }: Extract<AddedScript, { kind: 'refused' }>, text: string): Reply {
  const entity = name === undefined ? undefined : { type: KIND, name }
  if (line === 0) return failure(message, { entity })
  const sourceLines = [{ line, text: text.split(/\r\n?|\n/)[line - 1] ?? '' }]
  const problem: Problem = { message, line, column: Math.max(1, column), sourceLines, suggestions: [] }
  return failure(parsingErrorText([problem]), { entity, errors: [problem] })
}
