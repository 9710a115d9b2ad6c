/** Messages to `$SYS/Coreflux/Config/New`, which change the configuration while the broker runs. */
import { messageOf } from '../base/errors.js'
import type { ConfigChange } from '../config/live-config.js'
import type { BrokerConfig } from '../config/schema.js'
import { failure, type Reply, success } from './envelope.js'

export const NEW_CONFIG_TOPIC = '$SYS/Coreflux/Config/New'
/** As answers to them are told apart. */
export const SET_CONFIG = 'SetConfig'

/** The configuration as those see it who may change it. */
export interface Configuration {
  /** As it was last read; what needs a restart is not in force yet. */
  readonly asked: BrokerConfig
  readonly needsRestart: readonly string[]
  /**
   * Resolves when every thread has what can change now.
   * @param text JSON
   * @throws BrokerError CONFIG_INVALID, FILE_UNREADABLE, FOLDER_UNUSABLE: nothing has changed then
   */
  change(text: string): Promise<ConfigChange>
}

/** Never rejects. */
export async function setConfig(payload: Uint8Array, configuration: Configuration): Promise<Reply> {
  try {
    const { changed, needsRestart, warnings } = await configuration.change(new TextDecoder().decode(payload))
    return success(changeText(changed, needsRestart), { data: { changed, needsRestart }, warnings })
  } catch (error) {
    const problems = messageOf(error)
      .split('\n')
      .map((line) => ({ message: line.trim() }))
    return failure(`The configuration was not changed: ${problems[0].message}`, { errors: problems })
  }
}

function changeText(changed: readonly string[], needsRestart: readonly string[]): string {
  const parts = []
  if (changed.length > 0) parts.push(`Configuration changed successfully: ${changed.join(', ')}.`)
  if (needsRestart.length > 0) parts.push(`After a restart: ${needsRestart.join(', ')}.`)
  return parts.length === 0 ? 'The configuration is as it was.' : parts.join(' ')
}
