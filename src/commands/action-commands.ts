/** Running, tracing and examining what is deployed. */
import type { RunReport, RunRequest } from '../contracts/lot.js'
import { checkEntity } from '../lot/check/check.js'
import { Source } from '../lot/source.js'
import { parseProgram } from '../lot/syntax/parse.js'
import type { ActionNode } from '../lot/tree.js'
import type { AnswerCommand, CommandServices } from './command.js'
import { firstWord, wordsOf } from './command-line.js'
import { type Entry, entryKey, KIND_TITLES, type LotEntry } from './entry.js'
import { failure, type Reply, success } from './envelope.js'
import { Draft, worldOf } from './library.js'
import { pendingActions, requirementText } from './pending.js'
import { problemOf } from './problem.js'
import { isLocked } from './rules.js'
import { entryTitle } from './snapshots.js'
import { ALL_ACTIONS } from './traces.js'

export const ACTION_COMMANDS: readonly AnswerCommand[] = [
  { name: 'RunAction', scope: 'ActionManagementRun', answer: ({ rest }, services) => runAction(rest, services) },
  {
    name: 'ActionTrace',
    scope: 'ActionManagementRun',
    answer: ({ rest }, services) => traceAction(wordsOf(rest), services),
  },
  { name: 'LotDiagnostic', scope: 'none', answer: ({ rest }, services) => diagnose(wordsOf(rest), services) },
  { name: 'GetPendingStatus', scope: 'none', answer: (_line, services) => pendingStatus(services) },
  { name: 'ListEntities', scope: 'none', answer: (_line, services) => listEntities(services) },
  { name: 'ListModels', scope: 'none', answer: (_line, services) => listKind('model', 'models', services) },
  { name: 'ListActions', scope: 'none', answer: (_line, services) => listKind('action', 'actions', services) },
]

// ---------- -runAction ----------

async function runAction(rest: string, { library, lot }: CommandServices): Promise<Reply> {
  const [name, json] = firstWord(rest)
  if (name === undefined) return failure('The name of the action is missing')
  const entity = { type: 'Action', name }
  const entry = library.entities.get(entryKey('action', name))
  if (entry?.kind !== 'action') return failure(`Action '${name}' not found.`, { entity })
  const waiting = pendingActions(library.entities).get(entryKey('action', name))
  if (waiting !== undefined) {
    return failure(`Action '${name}' waits for ${waiting.waitingFor.map(requirementText).join(', ')}`, { entity })
  }
  const request = runRequest(entry.node as ActionNode, json)
  if (typeof request === 'string') return failure(request, { entity })
  return runReply(name, await lot.runAction(name, request))
}

/** @returns what is wrong with the argument, as text */
function runRequest(node: ActionNode, json: string): RunRequest | string {
  if (json.trim() === '') return { kind: 'inputs', inputs: {} }
  let given: unknown
  try {
    given = JSON.parse(json)
  } catch (error) {
    return `The argument is not JSON: ${(error as SyntaxError).message}`
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return 'The argument is not a JSON object'
  const fields = given as Readonly<Record<string, unknown>>
  const hasInput = node.inputs.some(({ name }) => name.text === 'topic')
  if (typeof fields.topic !== 'string' || hasInput) return { kind: 'inputs', inputs: fields }
  const { topic, payload = '' } = fields
  return { kind: 'message', topic, payload: typeof payload === 'string' ? payload : JSON.stringify(payload) }
}

function runReply(name: string, report: RunReport): Reply {
  const { action, traceId, result, published, outputs, timing, error, line, statement, warnings } = report
  const data = { action, traceId, status: result, published, outputs, durationMs: timing.durationMs, error }
  const entity = { type: 'Action', name }
  if (result === 'success') return success(`Action '${name}' ran successfully.`, { entity, data, warnings })
  const message = error ?? 'unknown error'
  const sourceLines = line === undefined || statement === undefined ? undefined : [{ line, text: statement }]
  const errors = [{ message, line, sourceLines }]
  return failure(`Action '${name}' failed: ${message}`, { entity, data, errors, warnings })
}

// ---------- -actionTrace ----------

async function traceAction([first, second]: readonly string[], { traces, library }: CommandServices): Promise<Reply> {
  switch (first) {
    case undefined:
    case 'status': {
      const data = traces.armed().map(([action, expiryMs]) => ({ action, expiresUtc: utcText(expiryMs) }))
      return success(data.length === 0 ? 'No action is traced.' : `${data.length} traced.`, { data })
    }
    case 'off':
      await traces.clear()
      return success('No action is traced.')
    case 'remove': {
      if (second === undefined) return failure('The name of the action is missing')
      const wasArmed = await traces.remove(second)
      return wasArmed
        ? success(`Action '${second}' is no longer traced.`)
        : failure(`Action '${second}' is not traced.`)
    }
    default: {
      if (first !== ALL_ACTIONS && !library.entities.has(entryKey('action', first))) {
        return failure(`Action '${first}' not found.`)
      }
      const expiryMs = await traces.add(first)
      const expiresUtc = utcText(expiryMs)
      const what = first === ALL_ACTIONS ? 'All actions are' : `Action '${first}' is`
      return success(`${what} traced until ${expiresUtc}.`, { data: { action: first, expiresUtc } })
    }
  }
}

function utcText(ms: number): string {
  return new Date(ms).toISOString()
}

// ---------- -lotDiagnostic ----------

const DIAGNOSED = ['model', 'action', 'route', 'rule'] as const

async function diagnose(words: readonly string[], services: CommandServices): Promise<Reply> {
  const kind = DIAGNOSED.find((known) => known === words[0]?.toLowerCase())
  const name = kind === undefined ? words[0] : words[1]
  if (name === undefined) return failure('Give a kind (model, action, route or rule) and a name')
  const kinds = kind === undefined ? DIAGNOSED : [kind]
  const entry = kinds
    .map((one) => services.library.entities.get(entryKey(one, name)))
    .find((found) => found !== undefined)
  if (entry === undefined || entry.kind === 'python') {
    return failure(`${kind === undefined ? 'Entity' : KIND_TITLES[kind]} '${name}' not found.`)
  }
  const data = {
    entity: { type: KIND_TITLES[entry.kind], name },
    static: staticFindings(entry, services),
    runtime: await runtimeState(entry, services),
  }
  return success(`${entryTitle(entry)}: ${data.static.length} findings, ${data.runtime.status}.`, { data })
}

function staticFindings(entry: LotEntry, { library, deployOptions }: CommandServices): readonly object[] {
  const source = new Source(entry.name, entry.source)
  const { diagnostics } = parseProgram(source, deployOptions)
  const checked = checkEntity(entry.node, worldOf(new Draft(library)), deployOptions)
  return [...diagnostics, ...checked].map((found) => ({ severity: found.severity, ...problemOf(source, found) }))
}

async function runtimeState({ kind, name }: LotEntry, services: CommandServices): Promise<{ readonly status: string }> {
  if (kind === 'rule') return { status: 'stored' }
  if (kind !== 'action' && kind !== 'model') return { status: 'not run by this version' }
  const waiting = pendingActions(services.library.entities).get(entryKey(kind, name))
  if (waiting !== undefined) {
    const waitingFor = waiting.waitingFor.map(requirementText)
    return { status: 'pending', ...{ waitingFor } }
  }
  const state = await services.lot.state({ kind, name })
  return { status: state?.stopped === undefined ? 'active' : 'stopped', ...state }
}

// ---------- lists ----------

function pendingStatus({ library }: CommandServices): Reply {
  const data = [...pendingActions(library.entities).values()].map(({ entry, waitingFor }) => ({
    type: KIND_TITLES[entry.kind],
    name: entry.name,
    waitingFor: waitingFor.map(requirementText),
  }))
  return success(data.length === 0 ? 'No pending models or actions.' : `${data.length} pending.`, { data })
}

function listEntities({ library, projects }: CommandServices): Reply {
  const data = [...library.entities.values()]
    .filter(({ kind, name }) => kind !== 'rule' || !isLocked(name))
    .map(({ kind, name }) => ({ type: kind, name, origin: originOf({ kind, name }, projects) }))
  return success(data.length === 0 ? 'No entities found.' : `${data.length} entities.`, { data })
}

/** `adhoc`, or `project/file/cell`. */
function originOf(entity: Pick<Entry, 'kind' | 'name'>, projects: CommandServices['projects']): string {
  const owner = projects?.ownerOf(entity)
  if (owner === undefined) return 'adhoc'
  const { project, file, cell } = owner
  return cell === undefined ? `${project}/${file}` : `${project}/${file}/${cell}`
}

async function listKind(kind: 'model' | 'action', plural: string, { library, lot }: CommandServices): Promise<Reply> {
  const pending = pendingActions(library.entities)
  const entries = [...library.entities].filter(([, entry]) => entry.kind === kind)
  const data = await Promise.all(
    entries.map(async ([key, { name }]) => {
      if (pending.has(key)) return { name, status: 'pending' }
      const state = await lot.state({ kind, name })
      return { name, status: state?.stopped === undefined ? 'active' : 'stopped' }
    }),
  )
  return success(data.length === 0 ? `No ${plural} registered.` : `${data.length} ${plural}.`, { data })
}
