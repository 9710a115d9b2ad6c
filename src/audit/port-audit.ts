/** The audit trail as a worker thread sees it: records go to the main thread, which alone writes. */
import type { MessagePort } from 'node:worker_threads'
import type { Clock } from '../base/clock.js'
import type { AuditEntry } from '../contracts/audit.js'
import { AuditRate } from './audit-rate.js'

/**
 * @returns for `record`; its owner calls `tick` now and then, and `flush` before the thread ends
 */
export function createPortAudit(port: MessagePort, clock: Clock): AuditRate {
  return new AuditRate(clock, (entries: readonly AuditEntry[]) => port.postMessage(entries))
}
