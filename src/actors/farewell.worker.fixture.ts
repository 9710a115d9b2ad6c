/** A thread that says something for the log and the audit trail, and ends at once. */
import { createPortLogger } from '../base/log-port.js'
import type { TaskPorts } from './thread-pool.js'

/** More than are taken from a port at once. */
const MESSAGES = 5_000

export default async function run({ log, audit }: TaskPorts): Promise<void> {
  createPortLogger({ level: 'info', areas: {} }, log).info('farewell')
  for (let count = 1; count <= MESSAGES; count++) audit.postMessage([{ what: 'farewell', count }])
}
