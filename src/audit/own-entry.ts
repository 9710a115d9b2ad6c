import type { AuditEntry } from '../contracts/audit.js'

/** A record of the broker about itself. */
export function ownEntry(timeMs: number, what: string, success: boolean, detail: string): AuditEntry {
  return { kind: 'broker', user: '', clientId: '', address: '', what, success, detail, timeMs, count: 1 }
}
