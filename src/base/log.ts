/** Structured logging without a destination: areas, levels, records and the loggers that make them. */

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug', 'trace'] as const
/** The least severe level that is logged; `silent` logs nothing. */
export type LogLevel = (typeof LOG_LEVELS)[number]
/** The level of one line. */
export type LogSeverity = Exclude<LogLevel, 'silent'>

export const LOG_AREAS = [
  'broker',
  'connection',
  'session',
  'listener',
  'supervisor',
  'storage',
  'config',
  'lot',
] as const
export type LogArea = (typeof LOG_AREAS)[number]

/** Details of a line. Only plain values: a payload or a password has no way in by accident. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** One line, as it crosses from a worker to the main thread; survives structured cloning. */
export interface LogRecord {
  /** Milliseconds since 1970, taken where the line was logged. */
  readonly timeMs: number
  readonly level: LogSeverity
  readonly area: LogArea
  readonly message: string
  readonly fields: LogFields
}

/** Takes a record to its destination. Never throws. */
export type LogSink = (record: LogRecord) => void

export interface LogLevels {
  readonly level: LogLevel
  /** Levels of single areas; the others have `level`. */
  readonly areas: Readonly<Partial<Record<LogArea, LogLevel>>>
}

type LogLine = (message: string, fields?: LogFields) => void

/** Writes lines of one area. A level that is off costs one call of an empty function. */
export interface Logger {
  readonly error: LogLine
  readonly warn: LogLine
  readonly info: LogLine
  readonly debug: LogLine
  readonly trace: LogLine
  /** Whether a line of this level would be written: ask before collecting costly fields. */
  isOn(level: LogSeverity): boolean
  /** The logger of another area, with that area's level and the same destination. */
  area(area: LogArea): Logger
  /** From now on these levels hold, for the loggers of all areas. */
  setLevels(levels: LogLevels): void
}

function nothing(): void {}

/**
 * A logger of the area `broker` over any destination; `area()` gives the others.
 * @param now milliseconds since 1970
 */
export function createSinkLogger(levels: LogLevels, sink: LogSink, now: () => number = Date.now): Logger {
  return new LoggerFamily(levels, sink, now).area('broker')
}

/** The loggers of all areas, which share levels and destination. */
class LoggerFamily {
  readonly #members = new Map<LogArea, AreaLogger>()

  constructor(
    private levels: LogLevels,
    readonly sink: LogSink,
    readonly now: () => number,
  ) {}

  area(area: LogArea): Logger {
    let logger = this.#members.get(area)
    if (logger === undefined) {
      logger = new AreaLogger(this, area, this.#levelOf(area))
      this.#members.set(area, logger)
    }
    return logger
  }

  setLevels(levels: LogLevels): void {
    this.levels = levels
    for (const [area, logger] of this.#members) logger.setLevel(this.#levelOf(area))
  }

  #levelOf(area: LogArea): LogLevel {
    return this.levels.areas[area] ?? this.levels.level
  }
}

class AreaLogger implements Logger {
  error: LogLine = nothing
  warn: LogLine = nothing
  info: LogLine = nothing
  debug: LogLine = nothing
  trace: LogLine = nothing
  #least: LogLevel = 'silent'
  readonly #line: (level: LogSeverity) => LogLine
  readonly isOn = (level: LogSeverity): boolean => LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(this.#least)
  readonly area: (area: LogArea) => Logger
  readonly setLevels: (levels: LogLevels) => void

  constructor(family: LoggerFamily, area: LogArea, least: LogLevel) {
    this.area = (other) => family.area(other)
    this.setLevels = (levels) => family.setLevels(levels)
    this.#line =
      (level) =>
      (message, fields = {}) =>
        family.sink({ timeMs: family.now(), level, area, message, fields })
    this.setLevel(least)
  }

  setLevel(least: LogLevel): void {
    this.#least = least
    for (const level of ['error', 'warn', 'info', 'debug', 'trace'] as const) {
      this[level] = this.isOn(level) ? this.#line(level) : nothing
    }
  }
}

/** A logger that drops everything, for tests. */
export const silentLogger: Logger = {
  error: nothing,
  warn: nothing,
  info: nothing,
  debug: nothing,
  trace: nothing,
  isOn: () => false,
  area: () => silentLogger,
  setLevels: nothing,
}

const UNPRINTABLE = /[\\\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]/gu

/**
 * Text from a client made safe for a terminal: control, invisible and direction characters are written as `\xNN` or
 * `\uNNNN`, so that a client identifier can neither forge a line nor move the cursor.
 */
export function escapeControls(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    if (character === '\\') return '\\\\'
    const code = character.charCodeAt(0)
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

const UNPRINTABLE_IN_JSON = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** The same for a line of JSON, where other control characters and backslashes are written out already. */
export function escapeControlsInJson(line: string): string {
  return line.replace(UNPRINTABLE_IN_JSON, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
