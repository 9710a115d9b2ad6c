/** Which definitions the LoT thread has, and which it should have. */
import type { EntityRef, RunnableDefinition } from '../contracts/lot.js'
import { entryKey, isModel, type LotEntry, type ModelEntry } from './entry.js'
import type { Library } from './library.js'
import { pendingActions } from './pending.js'
import { lastRunOf } from './timer-runs.js'

export interface InstallPlan {
  readonly install: readonly RunnableDefinition[]
  readonly remove: readonly EntityRef[]
}

export class Installer {
  #installed = new Map<string, RunnableDefinition>()

  constructor(private readonly library: Library) {}

  /**
   * What has to be done after a change, removals first. The LoT thread itself takes care of children: they change with
   * their parents, and keep what they have of one that goes.
   * @param deployed keys of entities that begin anew in any case
   */
  update(deployed: ReadonlySet<string>): InstallPlan {
    const wanted = this.#wanted()
    const install: RunnableDefinition[] = []
    for (const [key, definition] of wanted) {
      if (!this.#installed.has(key) || deployed.has(key)) install.push(definition)
    }
    const remove: EntityRef[] = []
    for (const [key, { kind, name }] of this.#installed) if (!wanted.has(key)) remove.push({ kind, name })
    this.#installed = wanted
    return { install, remove }
  }

  /** Everything, for a LoT thread that knows nothing. `remove` afterwards: parents that only their children still know. */
  all(): InstallPlan {
    const keptParents = this.#keptParents()
    this.#installed = this.#wanted()
    return {
      install: [...keptParents.map(modelDefinition), ...this.#installed.values()],
      remove: keptParents.map(({ name }) => ({ kind: 'model', name })),
    }
  }

  #wanted(): Map<string, RunnableDefinition> {
    const { entities, notes } = this.library
    const pending = pendingActions(entities)
    const wanted = new Map<string, RunnableDefinition>()
    for (const [key, entry] of entities) {
      if (isModel(entry)) wanted.set(key, modelDefinition(entry))
      else if (entry.kind === 'action' && !pending.has(key)) wanted.set(key, actionDefinition(entry, notes))
    }
    return wanted
  }

  #keptParents(): readonly ModelEntry[] {
    const { entities } = this.library
    const kept = new Map<string, ModelEntry>()
    for (const entry of entities.values()) {
      for (const parent of isModel(entry) ? entry.keptParents : []) {
        if (!entities.has(entryKey('model', parent.name))) kept.set(parent.name, parent)
      }
    }
    return [...kept.values()]
  }
}

function modelDefinition({ name, source }: ModelEntry): RunnableDefinition {
  return { kind: 'model', name, source }
}

function actionDefinition({ name, source }: LotEntry, notes: ReadonlyMap<string, string>): RunnableDefinition {
  const lastRunMs = lastRunOf(notes, name)
  return { kind: 'action', name, source, ...(lastRunMs === undefined ? {} : { lastRunMs }) }
}
