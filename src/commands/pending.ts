/** Actions that can not run yet, because something they use is missing. */
import type { Dependency } from '../lot/check/check.js'
import { type Entry, entryKey, KIND_TITLES, type LotEntry } from './entry.js'

export interface Pending {
  readonly entry: LotEntry
  readonly waitingFor: readonly Dependency[]
}

/** An action also waits where it calls one that waits; actions that call one another in a circle do not. */
export function pendingActions(entities: ReadonlyMap<string, Entry>): ReadonlyMap<string, Pending> {
  const pending = new Map<string, Pending>()
  for (let found = true; found; ) {
    found = false
    for (const [key, entry] of entities) {
      if (entry.kind !== 'action' || pending.has(key)) continue
      const waitingFor = entry.requirements.filter((needed) => {
        const neededKey = entryKey(needed.kind, needed.name)
        return !entities.has(neededKey) || pending.has(neededKey)
      })
      if (waitingFor.length === 0) continue
      pending.set(key, { entry, waitingFor })
      found = true
    }
  }
  return pending
}

/** `Model 'Tank'` */
export function requirementText({ kind, name }: Dependency): string {
  return `${KIND_TITLES[kind]} '${name}'`
}
