/** Commands of panels and themes, besides adding and removing. */
import type { PanelNode } from '../lot/tree.js'
import type { Command, CommandServices } from './command.js'
import { wordsOf } from './command-line.js'
import { deployBody } from './deploy.js'
import { entryKey, type LotEntry } from './entry.js'
import { failure, type Reply, success } from './envelope.js'
import type { Draft, Library } from './library.js'
import { panelState } from './snapshots.js'

const STATES = ['DRAFT', 'PUBLISHED', 'ARCHIVED']
const FILE_PREFIX = 'lot64:'

export const PANEL_COMMANDS: readonly Command[] = [
  { name: 'ListPanels', scope: 'none', answer: (_line, services) => listPanels(services) },
  { name: 'ListVisus', scope: 'none', answer: (_line, services) => listPanels(services) },
  { name: 'PanelCode', scope: 'none', answer: ({ rest }, { library }) => panelCode(wordsOf(rest), library) },
  {
    name: 'UpdateVisuState',
    scope: 'SystemConfiguration',
    change: (draft, { rest }, { deployOptions }) => updateState(draft, wordsOf(rest), deployOptions),
  },
  {
    name: 'AddVisuFile',
    scope: 'SystemConfiguration',
    change(draft, { rest }, { deployOptions }) {
      if (!rest.startsWith(FILE_PREFIX)) return failure(`Expected ${FILE_PREFIX} and base64`)
      return deployBody(draft, 'panel', Buffer.from(rest.slice(FILE_PREFIX.length), 'base64').toString(), deployOptions)
    },
  },
  {
    name: 'RefreshVisu',
    scope: 'none',
    answer(_line, { topics, changes }) {
      forgetPanels(topics)
      return changes.make(() => success('Panels published again.'))
    },
  },
  {
    name: 'ListThemes',
    scope: 'none',
    answer(_line, { library, topics, changes }) {
      topics.forget('VoT/Themes/')
      const data = [...library.entities.values()].filter(({ kind }) => kind === 'theme').map(({ name }) => ({ name }))
      return changes.make(() => success(data.length === 0 ? 'No themes.' : `${data.length} themes.`, { data }))
    },
  },
]

function forgetPanels(topics: CommandServices['topics']): void {
  topics.forget('VoT/Panels/')
  topics.forget('Visus/')
}

/** Publishes them too: clients that missed them ask this way. */
function listPanels({ library, topics, changes }: CommandServices): Promise<Reply> {
  forgetPanels(topics)
  const data: { name: string; state: string }[] = []
  for (const entry of library.entities.values()) {
    if (entry.kind === 'panel') data.push({ name: entry.name, state: panelState(entry.node as PanelNode) })
  }
  return changes.make(() => success(data.length === 0 ? 'No panels.' : `${data.length} panels.`, { data }))
}

function panelCode([name]: readonly string[], library: Library): Reply {
  const entry = name === undefined ? undefined : library.entities.get(entryKey('panel', name))
  if (entry === undefined) return failure(`Panel '${name ?? ''}' not found.`)
  return success(`Panel '${entry.name}'.`, { data: entry.source })
}

/** The state is part of the text: it is changed there. */
function updateState(draft: Draft, [name, given]: readonly string[], options: CommandServices['deployOptions']): Reply {
  const state = given?.toUpperCase()
  if (name === undefined || state === undefined || !STATES.includes(state)) {
    return failure(`Expected the name of a panel and one of ${STATES.join(', ')}`)
  }
  const entry = draft.entities.get(entryKey('panel', name))
  if (entry?.kind !== 'panel') return failure(`Panel '${name}' not found.`)
  const reply = deployBody(draft, 'panel', withState(entry, state), options)
  return reply.success ? { ...reply, message: `Panel '${name}' is now ${state}.`, data: { name, state } } : reply
}

function withState({ source, node }: LotEntry, state: string): string {
  const firstComponent = source.search(/^[ \t]*ADD[ \t]+COMPONENT\b/m)
  const headerEnd = firstComponent < 0 ? source.length : firstComponent
  const header = source.slice(0, headerEnd)
  const rest = source.slice(headerEnd)
  if ((node as PanelNode).state !== undefined)
    return header.replace(/\bWITH[ \t]+STATE[ \t]+\w+/, `WITH STATE ${state}`) + rest
  return source.replace(/^([ \t]*DEFINE[ \t].*)$/m, `$1\n    WITH STATE ${state}`)
}
