/** Changes of the configuration while the broker runs: decided here, told to every thread, shown to clients. */
import type { Supervisor } from './actors/supervisor.js'
import type { Clock } from './base/clock.js'
import { messageOf } from './base/errors.js'
import type { Logger } from './base/log.js'
import type { ConfigChange, LiveConfig } from './config/live-config.js'
import type { BrokerConfig } from './config/schema.js'
import type { Audit } from './contracts/audit.js'

export interface ConfigControlParts {
  readonly live: LiveConfig
  readonly supervisor: Pick<Supervisor, 'reconfigure'>
  readonly clock: Clock
  readonly log: Logger
  readonly audit: Audit | undefined
  /** All threads know. */
  readonly changed: () => void
}

export class ConfigControl {
  readonly #parts: ConfigControlParts
  readonly #log: Logger

  constructor(parts: ConfigControlParts) {
    this.#parts = parts
    this.#log = parts.log.area('config')
  }

  get asked(): BrokerConfig {
    return this.#parts.live.asked
  }

  get needsRestart(): readonly string[] {
    return this.#parts.live.needsRestart
  }

  /**
   * Reads file, environment and flags again. Resolves when all threads know.
   * @throws BrokerError CONFIG_INVALID, FILE_UNREADABLE: nothing has changed then
   */
  async reload(): Promise<ConfigChange> {
    const { live, clock } = this.#parts
    try {
      const change = await this.#tell(live.reload(clock.now()))
      this.#record(true, [...change.changed, ...change.needsRestart].join(', '))
      return change
    } catch (error) {
      this.#record(false, messageOf(error))
      throw error
    }
  }

  /** Takes a JSON document of a client; otherwise like `reload`. @throws also BrokerError FOLDER_UNUSABLE */
  async change(text: string): Promise<ConfigChange> {
    const { live, clock } = this.#parts
    return await this.#tell(live.change(text, clock.now()))
  }

  #record(success: boolean, detail: string): void {
    const nobody = { user: '', clientId: '', address: '' }
    this.#parts.audit?.record({ kind: 'configuration', ...nobody, what: 'reload', success, detail })
  }

  async #tell(change: ConfigChange): Promise<ConfigChange> {
    const { live, supervisor, log, changed } = this.#parts
    log.setLevels(live.current.log)
    const { changed: keys, needsRestart, warnings } = change
    this.#log.info('configuration read', { changed: keys.join(', '), needsRestart: needsRestart.join(', ') })
    for (const warning of warnings) this.#log.warn(warning)
    await supervisor.reconfigure()
    changed()
    return change
  }
}
