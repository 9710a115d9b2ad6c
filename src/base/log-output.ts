/** Where log lines end: pino for JSON, pino-pretty for a terminal. The only importer of both; main thread only. */
import { createRequire } from 'node:module'
import type { prettyFactory as PrettyFactory } from 'pino-pretty'
import {
  createSinkLogger,
  escapeControls,
  escapeControlsInJson,
  type Logger,
  type LogLevels,
  type LogRecord,
  type LogSink,
} from './log.js'

const require = createRequire(import.meta.url)
const { pino } = require('pino') as typeof import('pino')

/** A stream that takes whole lines; `fd` where it is a file of this process, which is then written synchronously. */
export interface LogStream {
  readonly fd?: number
  readonly isTTY?: boolean
  write(line: string): unknown
}

export interface LogOutputOptions {
  /** `auto` is readable on a terminal and JSON otherwise. */
  readonly format: 'auto' | 'json' | 'pretty'
}

/** Values of these fields are never written, whoever puts them there. */
const SECRET_FIELDS = new Set(['password', 'passphrase', 'payload', 'secret', 'token'])

/** What every line has; a field of such a name gets a `_` behind it. */
const LINE_FIELDS = new Set(['time', 'level', 'area', 'msg'])

/**
 * Writes records to a stream, one line each. A line is written when the call returns, so none is lost at exit. A stream
 * that fails (its reader went away) is ignored: the broker goes on without a log.
 */
export function createLogSink(options: LogOutputOptions, stream: LogStream = process.stderr): LogSink {
  const lines = openLines(stream)
  const readable = options.format === 'pretty' || (options.format === 'auto' && stream.isTTY === true)
  if (!readable) {
    const json = createPino({ write: (line) => lines.write(escapeControlsInJson(line)) })
    return (record) => json[record.level](jsonFields(record), record.message)
  }
  const { prettyFactory } = require('pino-pretty') as { readonly prettyFactory: typeof PrettyFactory }
  const format = prettyFactory({
    colorize: stream.isTTY === true && process.env.NO_COLOR === undefined,
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
    ignore: 'area',
    hideObject: true,
  })
  const pretty = createPino({ write: (line) => lines.write(format(line)) })
  return (record) => pretty[record.level]({ time: record.timeMs }, readableText(record))
}

/** The logger of the main thread: its level and those of its areas, over the output above. */
export function createLogger(settings: LogLevels & LogOutputOptions, stream?: LogStream): Logger {
  return createSinkLogger(settings, createLogSink(settings, stream))
}

function createPino(lines: { write(line: string): void }) {
  return pino(
    { level: 'trace', base: null, timestamp: false, formatters: { level: (label) => ({ level: label }) } },
    lines,
  )
}

function openLines(stream: LogStream): { write(line: string): void } {
  if (stream.fd === undefined) return { write: (line) => void stream.write(line) }
  const file = pino.destination({ dest: stream.fd, sync: true })
  file.on('error', () => {})
  return file
}

function jsonFields({ timeMs, area, fields }: LogRecord): Record<string, unknown> {
  const line: Record<string, unknown> = { time: new Date(timeMs).toISOString(), area }
  for (const [name, value] of Object.entries(fields)) {
    line[LINE_FIELDS.has(name) ? `${name}_` : name] = SECRET_FIELDS.has(name) ? '***' : value
  }
  return line
}

/** `session: queue full (clientId=pump-7 queued=100000)` */
function readableText({ area, message, fields }: LogRecord): string {
  const shown: string[] = []
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) shown.push(`${name}=${SECRET_FIELDS.has(name) ? '***' : readableValue(value)}`)
  }
  const details = shown.length === 0 ? '' : ` (${shown.join(' ')})`
  return `${area}: ${escapeControls(message)}${details}`
}

function readableValue(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value)
  const text = escapeControls(value)
  return text === '' || /[\s"=()]/.test(text) ? `"${text.replaceAll('"', '\\"')}"` : text
}
