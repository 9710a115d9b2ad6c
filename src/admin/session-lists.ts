/** `Comms/Clients` and `Comms/Sessions`: those whose connection came or went last, and how many there are in all. */
import { SESSIONS_LISTED_MAX, type SessionSummary } from '../contracts/sessions.js'
import type { Totals } from './statistics.js'

/** Client identifiers may be long: past this, fewer are listed. */
export const LIST_BYTES_MAX = 262_144
const NEVER_EXPIRES = 4_294_967_295

/** @param found of all shards @returns texts by topic below `$SYS/Coreflux/` */
export function sessionLists(
  found: readonly (readonly SessionSummary[])[],
  totals: Pick<Totals, 'sessions' | 'sessionsConnected'>,
): ReadonlyMap<string, string> {
  const latest = found.flat().sort((one, other) => (other.sinceMs ?? 0) - (one.sinceMs ?? 0))
  const connected = latest.filter(({ isConnected }) => isConnected)
  return new Map([
    ['Comms/Clients', listText('clients', totals.sessionsConnected, connected.map(clientView))],
    ['Comms/Sessions', listText('sessions', totals.sessions, latest.map(sessionView))],
  ])
}

function listText(name: string, count: number, entries: readonly object[]): string {
  const texts: string[] = []
  let bytes = 0
  for (const entry of entries.slice(0, SESSIONS_LISTED_MAX)) {
    const text = JSON.stringify(entry)
    bytes += Buffer.byteLength(text) + 1
    if (bytes > LIST_BYTES_MAX) break
    texts.push(text)
  }
  // a session may have come since the counting
  return `{"count":${Math.max(count, texts.length)},"listed":${texts.length},"${name}":[${texts.join(',')}]}`
}

const PROTOCOLS: Readonly<Record<number, string>> = { 3: '3.1', 4: '3.1.1', 5: '5.0' }

function clientView(session: SessionSummary) {
  const { clientId, userName, address, port, protocolVersion, isBridge, sinceMs, keepAliveSeconds } = session
  return {
    clientId,
    user: userName ?? null,
    address,
    port,
    protocol: PROTOCOLS[protocolVersion],
    bridge: isBridge,
    connectedUtc: utc(sinceMs),
    keepAliveSeconds,
  }
}

function sessionView(session: SessionSummary) {
  const { clientId, userName, isConnected, sinceMs, expirySeconds } = session
  return {
    clientId,
    user: userName ?? null,
    connected: isConnected,
    sinceUtc: utc(sinceMs),
    expirySeconds: expirySeconds === NEVER_EXPIRES ? null : expirySeconds,
    subscriptions: session.subscriptions,
    queuedMessages: session.queuedMessages,
    inflightMessages: session.inflightMessages,
  }
}

function utc(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}
