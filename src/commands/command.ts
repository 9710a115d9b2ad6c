/** What a command is made of. */
import type { Trail } from '../audit/trail.js'
import type { Clock } from '../base/clock.js'
import type { BrokerConfig } from '../config/schema.js'
import type { Identity, RuleScope } from '../contracts/security.js'
import type { ProjectCommands } from '../projects/project.js'
import type { AccessService } from './access-command.js'
import type { BanKeeper } from './ban-keeper.js'
import type { Changes } from './changes.js'
import type { CommandLine } from './command-line.js'
import type { LotCalls } from './committer.js'
import type { DeployOptions } from './deploy.js'
import type { Reply } from './envelope.js'
import type { Draft, Library } from './library.js'
import type { PythonLibrary } from './python-library.js'
import type { RetainedTopics } from './retained-topics.js'
import type { Traces } from './traces.js'

/** What commands work with. */
export interface CommandServices {
  /** undefined where nobody can be asked. */
  readonly access: AccessService | undefined
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly library: Library
  /** undefined where it is disabled. */
  readonly audit: Trail | undefined
  readonly bans: BanKeeper
  readonly changes: Changes
  readonly lot: LotCalls
  readonly topics: RetainedTopics
  readonly traces: Traces
  readonly python: PythonLibrary
  /** undefined where there are none. */
  readonly projects: ProjectCommands | undefined
  readonly deployOptions: DeployOptions
  /** Why secrets cannot be kept; undefined if they can. */
  readonly secretsProblem: string | undefined
  /** Publishes statistics now. */
  readonly updateStatistics: () => void
}

interface Named {
  /** As answers tell it: `AddModel`. Clients send `-addModel` or `--add-model`, in any case. */
  readonly name: string
  /** What its sender must be allowed, besides sending commands; `none` where that is enough. */
  readonly scope: RuleScope | 'none'
  /** The answer goes to the session of the sender alone, because not all who read answers may ask for it. */
  readonly isConfidential?: true
}

/** Changes what is deployed or set: takes effect in the order of the commands. */
export interface ChangeCommand extends Named {
  /**
   * Never throws; leaves the draft as it was where it refuses.
   * @param sender undefined for the broker itself
   */
  change(draft: Draft, line: CommandLine, services: CommandServices, sender: Identity | undefined): Reply
}

/** A change that needs costly work before; commands that come later wait for it, and other work does not. */
export interface PreparedCommand extends Named {
  /** @returns the change, or why there is none. Never rejects where the sender is at fault. */
  prepare(
    line: CommandLine,
    services: CommandServices,
    sender: Identity | undefined,
  ): Promise<Reply | ((draft: Draft) => Reply)>
}

/** Everything else: begins when all changes before it are in force, and holds nothing up. */
export interface AnswerCommand extends Named {
  /** undefined sends no answer. */
  answer(line: CommandLine, services: CommandServices): Reply | undefined | Promise<Reply | undefined>
}

export type Command = ChangeCommand | PreparedCommand | AnswerCommand
