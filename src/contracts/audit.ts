/** What the audit trail is told. Never a secret: neither a password nor the value of one, nor the text of a command behind its name. */
import type { Identity } from './security.js'

export const AUDIT_KINDS = [
  'login',
  'logout',
  /** Something that a rule, a limit or a ban has refused. */
  'denial',
  'command',
  'configuration',
  /** Start and stop of the broker, and what happens to the trail itself. */
  'broker',
] as const
export type AuditKind = (typeof AUDIT_KINDS)[number]

export interface AuditRecord {
  readonly kind: AuditKind
  /** Empty for anonymous clients and for the broker itself. */
  readonly user: string
  readonly clientId: string
  /** `192.0.2.7:49152`; the path of a Unix socket; empty for the broker itself. */
  readonly address: string
  /** What was asked: `AddRule NightShift`, `publish line/1/setpoint`, `connect`. */
  readonly what: string
  readonly success: boolean
  /** Which rule or reason decided; empty where nothing is to be said. */
  readonly detail: string
}

/** A record as it crosses to the main thread and is written down. */
export interface AuditEntry extends AuditRecord {
  /** Milliseconds since 1970 of the first one. */
  readonly timeMs: number
  /** How many equal ones it stands for. */
  readonly count: number
}

/** Takes records; never throws, never blocks. A storm of equal denials becomes one record with a count. */
export interface Audit {
  record(record: AuditRecord): void
}

/** What a record says of a client. */
export function partyOf(client: Omit<Identity, 'claims'>): Pick<AuditRecord, 'user' | 'clientId' | 'address'> {
  return { user: client.userName ?? '', clientId: client.clientId, address: endpointOf(client) }
}

/** `192.0.2.7:49152`, `[2001:db8::7]:49152`; the path of a Unix socket */
export function endpointOf({ address, port }: { readonly address: string; readonly port: number }): string {
  if (port === 0) return address
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** What `endpointOf` was given as the address. */
export function hostOf(endpoint: string): string {
  const match = /^\[(.*)\]:\d+$/.exec(endpoint) ?? /^([\d.]+):\d+$/.exec(endpoint)
  return match === null ? endpoint : match[1]
}
