/** The configuration that is in force, and the ways it changes: all of a change or nothing. Main thread only. */
import { isDeepStrictEqual } from 'node:util'
import { BrokerError } from '../base/errors.js'
import { checkConfig } from './check.js'
import { effectiveValues } from './effective.js'
import { FileSyntaxError, parseJson } from './file-formats.js'
import { type KeptSettings, writeKeptSettings } from './kept-settings.js'
import { pathOfText, pathText, valueAt } from './keys.js'
import { adoptConfig, type ConfigDifference, configDifference } from './live.js'
import type { LoadedConfig } from './load.js'
import { originText } from './origin.js'
import type { BrokerConfig } from './schema.js'
import { DOCUMENT_BYTES_MAX, mergeDocument } from './settings-document.js'

/**
 * Reads all sources of the configuration anew.
 * @throws BrokerError CONFIG_INVALID, FILE_UNREADABLE
 */
export type ConfigReader = (kept: KeptSettings) => LoadedConfig

export interface ConfigChange extends ConfigDifference {
  /** What is unwise about the configuration as it is now. */
  readonly warnings: readonly string[]
}

export class LiveConfig {
  /** In force. Not frozen: what changes is written in place. */
  readonly current: BrokerConfig
  #asked: BrokerConfig
  #kept: KeptSettings
  readonly #read: ConfigReader

  /** @param config as it was read at the start, with what was kept */
  constructor(config: BrokerConfig, kept: KeptSettings, read: ConfigReader) {
    this.current = structuredClone(config)
    this.#asked = config
    this.#kept = kept
    this.#read = read
  }

  /** As it was last read: what of it needs a restart is not in force yet. */
  get asked(): BrokerConfig {
    return this.#asked
  }

  /** Keys of what is not in force yet. */
  get needsRestart(): readonly string[] {
    return configDifference(this.current, this.#asked).needsRestart
  }

  /**
   * Reads all sources again.
   * @throws BrokerError CONFIG_INVALID, FILE_UNREADABLE: nothing has changed then
   */
  reload(nowMs: number): ConfigChange {
    return this.#take(this.#kept, new Map(), nowMs)
  }

  /**
   * Takes a JSON document of a client, keeps it on disk, and reads all sources again.
   * @throws BrokerError CONFIG_INVALID, FILE_UNREADABLE, FOLDER_UNUSABLE: nothing has changed then
   */
  change(text: string, nowMs: number): ConfigChange {
    const { kept, asked } = mergeDocument(parsedDocument(text), this.#kept, this.#asked)
    return this.#take(kept, asked, nowMs)
  }

  #take(kept: KeptSettings, asked: KeptSettings, nowMs: number): ConfigChange {
    const loaded = this.#read(kept)
    refuseOverruled(asked, loaded)
    const findings = checkConfig(loaded.config, nowMs)
    const error = findings.find(({ severity }) => severity === 'error')
    if (error !== undefined)
      throw invalid(error.remedy === undefined ? error.message : `${error.message}: ${error.remedy}`)
    if (!isDeepStrictEqual(kept, this.#kept)) writeKeptSettings(this.current.dataDirectory, kept)
    this.#kept = kept
    this.#asked = loaded.config
    const difference = adoptConfig(this.current, structuredClone(loaded.config))
    return { ...difference, warnings: [...loaded.warnings, ...findings.map(({ message }) => message)] }
  }
}

function parsedDocument(text: string): unknown {
  const bytes = Buffer.byteLength(text)
  if (bytes > DOCUMENT_BYTES_MAX) {
    throw invalid(`the document has ${bytes} bytes, more than ${DOCUMENT_BYTES_MAX}`)
  }
  try {
    return parseJson(text).value
  } catch (error) {
    if (!(error instanceof FileSyntaxError)) throw error
    const [{ message, position }] = error.problems
    throw invalid(position === undefined ? message : `line ${position.line}, column ${position.column}: ${message}`)
  }
}

/** What a client asks for must not be overruled in silence. */
function refuseOverruled(asked: KeptSettings, loaded: LoadedConfig): void {
  const values = [...effectiveValues(loaded.config)]
  for (const [key, value] of asked) {
    for (const { path, value: effective } of values) {
      const printed = pathText(path)
      if (printed !== key && !printed.startsWith(`${key}.`)) continue
      const origin = loaded.originOf(path)
      if (origin.kind !== 'environment' && origin.kind !== 'flag') continue
      const wanted = valueAt(value, pathOfText(printed).slice(pathOfText(key).length))
      if (wanted === undefined || isDeepStrictEqual(wanted, effective)) continue
      throw invalid(`${printed} stays as it is: ${originText(origin)} was given at the start, and comes first`)
    }
  }
}

function invalid(problem: string): BrokerError<'CONFIG_INVALID'> {
  return new BrokerError('CONFIG_INVALID', { problem })
}
