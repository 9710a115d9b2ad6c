/** What clients write below `$SYS/Coreflux` besides commands: a new configuration, and events for routes. */
import type { Clock } from '../base/clock.js'
import { messageOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import { RateLimitedLog } from '../base/log-rate.js'
import { Turns } from '../base/turns.js'
import { type Audit, partyOf } from '../contracts/audit.js'
import type { LotEvent } from '../contracts/lot.js'
import type { AccessQuestion, Decision, Identity } from '../contracts/security.js'
import { type Configuration, NEW_CONFIG_TOPIC, SET_CONFIG, setConfig } from './config-command.js'
import { denied, failure, type Reply } from './envelope.js'

/** Changes of the configuration that wait for the one that is being made. */
const WAITING_MAX = 15
/** Characters of an answer that the audit trail is told. */
const DETAIL_LENGTH_MAX = 500

export interface SystemWritesParts {
  /** undefined where it cannot be changed, as in tests. */
  readonly configuration: Configuration | undefined
  readonly decide: ((question: AccessQuestion) => Promise<Decision>) | undefined
  readonly audit: Audit | undefined
  readonly log: Logger
  readonly clock: Clock
  /** Publishes the answer to a command of this name. */
  readonly answer: (command: string, reply: Reply) => Promise<void>
}

type Write = Extract<LotEvent, { kind: 'write' }>

export class SystemWrites {
  readonly #parts: SystemWritesParts
  readonly #log: RateLimitedLog
  readonly #turns = new Turns(1, WAITING_MAX)

  constructor(parts: SystemWritesParts) {
    this.#parts = parts
    this.#log = new RateLimitedLog(parts.log, () => parts.clock.now())
  }

  /** Resolves when it was answered. Never rejects. */
  async take(write: Write): Promise<void> {
    const { topic } = write
    if (topic === NEW_CONFIG_TOPIC) await this.#parts.answer(SET_CONFIG, await this.#inTurn(write))
    else this.#log.log('warn', topic, 'an event for a route has no effect: routes do not run yet', { topic })
  }

  async #inTurn(write: Write): Promise<Reply> {
    if (this.#turns.isFull) return failure('Too many changes are waiting: send this one again later')
    try {
      return await this.#turns.take(() => this.#setConfig(write))
    } catch (thrown) {
      return this.#failed(write, messageOf(thrown))
    }
  }

  async #setConfig({ payload, identity }: Write): Promise<Reply> {
    const { configuration, decide, log } = this.#parts
    if (configuration === undefined) return failure('The configuration of this broker cannot be changed')
    // whoever may deploy an Action may not for that reason configure the broker
    if (identity === undefined) return denied('Actions may not change the configuration')
    const decision = await decide?.({ identity, scope: 'SystemConfiguration', topic: undefined })
    if (decision?.allowed !== true) {
      const refused = denied('You are not allowed to change the configuration')
      this.#record('denial', identity, { ...refused, message: decision?.reason ?? '' })
      return refused
    }
    const reply = await setConfig(payload, configuration)
    const { clientId, userName: user } = identity
    log[reply.success ? 'info' : 'warn'](reply.message, { clientId, user })
    this.#record('configuration', identity, reply)
    return reply
  }

  /** A thread that was asked has ended, or the like: the next change may go well. */
  #failed({ identity }: Write, reason: string): Reply {
    const reply = failure(`The configuration could not be changed: ${reason}. Send it again in a moment`)
    this.#parts.log.error(reply.message, { clientId: identity?.clientId, user: identity?.userName })
    if (identity !== undefined) this.#record('configuration', identity, reply)
    return reply
  }

  #record(kind: 'configuration' | 'denial', identity: Identity, { success, message }: Reply): void {
    this.#parts.audit?.record({
      kind,
      ...partyOf(identity),
      what: SET_CONFIG,
      success,
      detail: message.slice(0, DETAIL_LENGTH_MAX),
    })
  }
}
