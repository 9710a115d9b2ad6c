/** What `merlot store inspect` prints for people. */

import type { InspectedSession, StoreInspection } from '../../storage/store-inspect.js'
import { counted } from '../base/counted.js'
import { bytesText } from './store-options.js'
import { printable } from './sub-output.js'

const NEVER = 4_294_967_295

export function* inspectionText(found: StoreInspection): Generator<string> {
  const { fileBytes, freeBytes, usedByPid, retained, sessions, tables, damaged, messages, definitions } = found
  yield `store: ${found.folder} (version ${found.version})`
  yield `used by: ${usedByPid === undefined ? 'nobody' : `process ${usedByPid}`}`
  yield `file: ${bytesText(fileBytes)}, of these ${bytesText(freeBytes)} free`
  yield `last start: ${found.lastStart ?? 'unknown'}`
  yield `last alive: ${found.lastAliveMs === undefined ? 'unknown' : timeText(found.lastAliveMs)}`
  yield `retained: ${counted(retained.messages, 'message')}, ${bytesText(retained.bytes)}`
  yield `waiting: ${counted(messages, 'message')}`
  yield `definitions: ${definitionsText(definitions)}`
  if (damaged > 0) yield `damaged: ${counted(damaged, 'value')}; "merlot store verify" lists them`
  yield `tables: ${Object.entries(tables)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')}`
  yield `sessions: ${sessions.length}`
  for (const session of sessions) yield `  ${sessionText(session, found)}`
}

/** `3 (action 2, model 1)` */
function definitionsText(byKind: StoreInspection['definitions']): string {
  const kinds = Object.entries(byKind)
  if (kinds.length === 0) return '0'
  const total = kinds.reduce((sum, [, count]) => sum + count, 0)
  return `${total} (${kinds.map(([kind, count]) => `${printable(kind)} ${count}`).join(', ')})`
}

function sessionText(session: InspectedSession, { usedByPid, lastAliveMs }: StoreInspection): string {
  const { clientId, isConnected, expirySeconds, subscriptions, waitingMessages } = session
  const sinceMs = session.offlineSinceMs ?? lastAliveMs
  const isOnline = isConnected && usedByPid !== undefined
  const state = isOnline ? 'connected' : `offline since ${sinceMs === undefined ? 'unknown' : timeText(sinceMs)}`
  return [
    clientId === '' ? '(no client identifier)' : printable(clientId),
    state,
    expiryText(expirySeconds, isOnline ? undefined : sinceMs),
    counted(subscriptions, 'subscription'),
    `${counted(waitingMessages, 'message')} waiting`,
  ].join(', ')
}

function expiryText(seconds: number, sinceMs: number | undefined): string {
  if (seconds === NEVER) return 'never expires'
  if (seconds === 0) return 'kept for its will only'
  return sinceMs === undefined
    ? `expires ${seconds} s after its connection`
    : `expires ${timeText(sinceMs + seconds * 1_000)}`
}

function timeText(ms: number): string {
  return new Date(ms).toISOString()
}
