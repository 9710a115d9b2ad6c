/** Takes commands: asks whether their senders may, keeps them in order, and carries them out. */
import { messageOf, stackOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import type { AccessQuestion, Decision, Identity } from '../contracts/security.js'
import { grantRemedy } from './built-in-rules.js'
import type { Command, CommandServices } from './command.js'
import type { CommandLine } from './command-line.js'
import { COMMAND_TABLE, unknownCommand, writtenName } from './command-table.js'
import { denied, failure, type Reply } from './envelope.js'
import { InOrder } from './in-order.js'
import type { Draft } from './library.js'

export interface DeskParts {
  readonly services: CommandServices
  /** What rules say of it at this moment. undefined where nobody can be asked: the broker alone may command then. */
  readonly decide: ((question: AccessQuestion) => Promise<Decision>) | undefined
  readonly log: Logger
  /** Told the keys of entities that a command has added or removed. */
  readonly touched: (keys: readonly string[]) => void
}

/** Commands that wait or run; each needs memory for its text and its answer. */
const COMMANDS_MAX = 20_000
const COMMAND_BYTES_MAX = 134_217_728

export class CommandDesk {
  readonly #parts: DeskParts
  readonly #order = new InOrder()
  #running = 0
  #runningBytes = 0

  constructor(parts: DeskParts) {
    this.#parts = parts
  }

  /**
   * Never rejects.
   * @param line undefined for a text without a word
   * @param size of the text, in characters
   * @param sender undefined for the broker itself, which may do everything
   * @returns undefined for a command without answer
   */
  async carryOut(
    line: CommandLine | undefined,
    size: number,
    sender: Identity | undefined,
  ): Promise<Reply | undefined> {
    if (this.#running >= COMMANDS_MAX || this.#runningBytes + size > COMMAND_BYTES_MAX) {
      return failure('Too many commands are waiting: send this one again later')
    }
    this.#running++
    this.#runningBytes += size
    try {
      return await this.#reply(line, sender)
    } catch (error) {
      // the text of the command may hold a secret: the name is all that is told
      this.#parts.log.error('a command failed', { command: line?.key, reason: stackOf(error) })
      return failure(messageOf(error))
    } finally {
      this.#running--
      this.#runningBytes -= size
    }
  }

  async #reply(line: CommandLine | undefined, sender: Identity | undefined): Promise<Reply | undefined> {
    if (line === undefined) return unknownCommand('')
    const command = COMMAND_TABLE.get(line.key)
    if (command === undefined) return unknownCommand(line.written)
    // what is asked or hashed before must not let a later command overtake
    const ready = await this.#order.after(this.#prepare(command, line, sender))
    if (typeof ready === 'object') return ready
    if (ready !== undefined) return await this.#change(ready)
    const { services } = this.#parts
    await services.changes.settled()
    return 'answer' in command ? await command.answer(line, services) : undefined
  }

  /** @returns a refusal, or the change; undefined for a command that only answers */
  async #prepare(
    command: Command,
    line: CommandLine,
    sender: Identity | undefined,
  ): Promise<Reply | ((draft: Draft) => Reply) | undefined> {
    const { services, decide } = this.#parts
    if (sender !== undefined) {
      const scope = command.scope === 'none' ? 'CommandCall' : command.scope
      const decision = await decide?.({ identity: sender, scope, topic: undefined })
      if (decision?.allowed !== true) {
        const refusal = `You are not allowed to execute ${writtenName(command)}`
        // where a rule forbids it, being granted more does not help
        const isUngranted = decision !== undefined && decision.rule === undefined
        return denied(isUngranted ? `${refusal}; ${grantRemedy(scope)}` : refusal)
      }
    }
    if ('prepare' in command) return await command.prepare(line, services, sender)
    return 'change' in command ? (draft) => command.change(draft, line, services, sender) : undefined
  }

  async #change(step: (draft: Draft) => Reply): Promise<Reply> {
    const { services, touched } = this.#parts
    const { reply, keys, draft } = await services.changes.make((draft) => {
      const from = draft.touched.length
      return { reply: step(draft), keys: draft.touched.slice(from), draft }
    })
    touched(keys)
    if (!reply.success || draft.warnings.length === 0) return reply
    return { ...reply, warnings: [...(reply.warnings ?? []), ...draft.warnings] }
  }
}
