/** Adding and removing entities of LoT. */
import type { RuleScope } from '../contracts/security.js'
import type { ChangeCommand, CommandServices } from './command.js'
import { wordsOf } from './command-line.js'
import { deployBody } from './deploy.js'
import { type Entry, KIND_TITLES, type LotEntry } from './entry.js'
import { failure, type Reply, success } from './envelope.js'
import type { Draft } from './library.js'
import { isLocked, isOfUser, removalNotes } from './rules.js'
import { forgetRuns } from './timer-runs.js'

type LotKind = LotEntry['kind']

export const ENTITY_COMMANDS: readonly ChangeCommand[] = [
  ...commandsOf('model', 'Model', 'ModelManagementCreation', 'ModelManagementRemove'),
  ...commandsOf('action', 'Action', 'ActionManagementCreation', 'ActionManagementRemove'),
  ...commandsOf('route', 'Route', 'RouteManagementCreation', 'RouteManagementRemove'),
  ...commandsOf('rule', 'Rule', 'RuleManagementCreation', 'RuleManagementRemove'),
  ...commandsOf('panel', 'Panel', 'SystemConfiguration', 'SystemConfiguration'),
  ...commandsOf('panel', 'Visu', 'SystemConfiguration', 'SystemConfiguration'),
  ...commandsOf('theme', 'Theme', 'SystemConfiguration', 'SystemConfiguration'),
]

function commandsOf(kind: LotKind, word: string, adds: RuleScope, removes: RuleScope): ChangeCommand[] {
  return [
    { name: `Add${word}`, scope: adds, change: (draft, { rest }, services) => add(draft, kind, rest, services) },
    { name: `Remove${word}`, scope: removes, change: (draft, { rest }) => removeNamed(draft, kind, wordsOf(rest)) },
    { name: `RemoveAll${word}s`, scope: removes, change: (draft) => removeAll(draft, kind, `${word.toLowerCase()}s`) },
  ]
}

function add(draft: Draft, kind: LotKind, rest: string, { deployOptions }: CommandServices): Reply {
  const from = draft.touched.length
  const reply = deployBody(draft, kind, rest, deployOptions)
  for (const key of draft.touched.slice(from)) {
    const before = draft.library.entities.get(key)
    if (kind === 'action' && before?.source !== draft.entities.get(key)?.source)
      forgetRuns(draft, key.slice('action/'.length))
  }
  return reply
}

function removeNamed(draft: Draft, kind: LotKind, [name]: readonly string[]): Reply {
  if (name === undefined) return failure(`The name of the ${KIND_TITLES[kind].toLowerCase()} is missing`)
  const entity = { type: KIND_TITLES[kind], name }
  if (kind === 'rule' && isLocked(name)) {
    return failure(`Rule '${name}' belongs to the broker and cannot be removed`, { entity })
  }
  return removeEntity(draft, kind, name)
}

export function removeEntity(draft: Draft, kind: Entry['kind'], name: string): Reply {
  const entity = { type: KIND_TITLES[kind], name }
  const warnings = draft.remove(kind, name)
  if (warnings === undefined) return failure(`${entity.type} '${name}' not found.`, { entity })
  if (kind === 'action') forgetRuns(draft, name)
  const notes = kind === 'rule' ? removalNotes(draft) : []
  return success(`${entity.type} '${name}' removed successfully!`, { entity, warnings: [...warnings, ...notes] })
}

/** Clients look for this text, in small letters. */
function removeAll(draft: Draft, kind: LotKind, plural: string): Reply {
  const names = draft.removeAll(kind, (name) => kind !== 'rule' || isOfUser(name))
  if (kind === 'action') for (const name of names) forgetRuns(draft, name)
  const warnings = kind === 'rule' ? removalNotes(draft) : []
  return success(`removed all ${plural} successfully`, { data: { removed: names.length }, warnings })
}
