/** Logging of a worker thread: its records go to the main thread, which alone writes. */
import type { MessagePort } from 'node:worker_threads'
import { createSinkLogger, type Logger, type LogLevels, type LogRecord } from './log.js'

export function createPortLogger(levels: LogLevels, port: MessagePort): Logger {
  return createSinkLogger(levels, (record: LogRecord) => port.postMessage(record))
}
