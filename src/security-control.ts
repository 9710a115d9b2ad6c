/** Who may do what, as the main thread sees it: every thread is told before it lets anybody in, and asked for commands. */
import type { Supervisor } from './actors/supervisor.js'
import { allOf, tellAll } from './actors/tell-all.js'
import type { RunningThread } from './actors/thread-pool.js'
import type { Identities } from './commands/identities.js'
import type { BanReport, BansChange } from './contracts/bans.js'
import type {
  AccessChange,
  AccessExplanation,
  AccessQuestion,
  CredentialsChange,
  Decision,
} from './contracts/security.js'
import type { ConnectionApi, ShardApi } from './contracts/threads.js'

/** What a thread that begins is told. */
export interface WholeSecurity {
  wholeAccess(): AccessChange
  wholeCredentials(): CredentialsChange
  /** Takes what connection threads report, too. */
  readonly bans: { whole(): BansChange; take(report: BanReport): void }
}

export class SecurityControl implements Identities {
  /** Of the latest change. */
  #number = 0

  /** @param whole what is kept; asked only when it has been read */
  constructor(
    readonly supervisor: Pick<Supervisor, 'shards' | 'connections'>,
    readonly whole: () => WholeSecurity,
  ) {}

  async tell(access: AccessChange, credentials: CredentialsChange): Promise<void> {
    const { shards, connections } = this.supervisor
    const number = ++this.#number
    await allOf([
      tellAll(shards, (thread) => orEnd(thread, thread.api.changeAccess({ ...access, number }))),
      tellAll(connections, (thread) => orEnd(thread, thread.api.changeCredentials({ ...credentials, number }))),
    ])
  }

  async tellBans(change: BansChange): Promise<void> {
    await tellAll(this.supervisor.connections, ({ api }) => api.changeBans(change))
  }

  decide(question: AccessQuestion): Promise<Decision> {
    return this.supervisor.shards[0].api.decide(question)
  }

  explain(question: AccessQuestion): Promise<AccessExplanation> {
    return this.supervisor.shards[0].api.explainAccess(question)
  }

  /** A shard has begun: it denies everything until it knows. */
  async introduceShard({ api }: RunningThread<ShardApi>): Promise<void> {
    await api.changeAccess({ ...this.whole().wholeAccess(), number: this.#number })
  }

  /** A connection thread has begun: it admits nobody until it knows. */
  async introduceConnection({ api }: RunningThread<ConnectionApi>): Promise<void> {
    const whole = this.whole()
    await api.changeBans(whole.bans.whole())
    await api.changeCredentials({ ...whole.wholeCredentials(), number: this.#number })
  }
}

/** Whoever does not take a change would decide by what was: it ends, and begins anew denying until it knows the whole. */
async function orEnd(thread: RunningThread<object>, call: Promise<void>): Promise<void> {
  try {
    await call
  } catch (cause) {
    thread.end()
    throw cause
  }
}
