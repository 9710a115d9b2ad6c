/** LoT as the main thread sees it: what is deployed and kept, commands, Python, projects, and the LoT thread at work. */
import { join } from 'node:path'
import { isStored, type Supervisor } from './actors/supervisor.js'
import { tellAll } from './actors/tell-all.js'
import type { Trail } from './audit/trail.js'
import { encodeText } from './base/bytes.js'
import type { Clock } from './base/clock.js'
import { entryFile } from './base/entry-file.js'
import { messageOf } from './base/errors.js'
import type { Logger } from './base/log.js'
import { CommandCentre } from './commands/centre.js'
import type { Configuration } from './commands/config-command.js'
import type { Reply } from './commands/envelope.js'
import type { BrokerConfig } from './config/schema.js'
import { Counter, openCounters } from './contracts/counters.js'
import type { LotEvent } from './contracts/lot.js'
import type { InternalPublish } from './contracts/threads.js'
import { Projects } from './projects/projects.js'
import type { PythonEvent } from './python/python-api.js'
import { PythonScripts } from './python/scripts.js'
import type { SecurityControl, WholeSecurity } from './security-control.js'

/** Retained messages that are asked of a shard at once. */
const RETAINED_PAGE = 1_000

export interface LotControlParts {
  readonly config: BrokerConfig
  readonly configuration: Configuration
  readonly supervisor: Supervisor
  readonly clock: Clock
  readonly log: Logger
  readonly security: SecurityControl
  /** undefined where it is disabled. */
  readonly trail: Trail | undefined
  /** With MERLOT_SECRET_KEY and MERLOT_ROOT_PASSWORD. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly updateStatistics: () => void
}

export class LotControl {
  readonly #parts: LotControlParts
  readonly #log: Logger
  readonly #python: PythonScripts
  readonly #centre: CommandCentre
  #hasStarted = false
  /** Events that came before the definitions were read. */
  #early: LotEvent[] = []

  constructor(parts: LotControlParts) {
    this.#parts = parts
    const { config, configuration, supervisor, clock, security, trail, environment } = parts
    const log = parts.log.area('lot')
    this.#log = log
    const publish = (messages: readonly InternalPublish[]): Promise<void> => publishAll(supervisor.shards, messages)
    this.#python = new PythonScripts({
      config,
      folder: join(config.dataDirectory, 'python'),
      log,
      worker: entryFile('python'),
      printed: (event) => this.#own(publish([debugMessage(event)]), 'the output of a script could not be published'),
    })
    this.#centre = new CommandCentre({
      config,
      configuration,
      log,
      clock,
      environment,
      identities: security,
      decide: (question) => security.decide(question),
      access: security,
      tellBans: (change) => security.tellBans(change),
      audit: trail,
      lot: {
        // the thread may be another one by the time of the call
        install: (definitions) => supervisor.lot.api.install(definitions),
        remove: (entities) => supervisor.lot.api.remove(entities),
        setEnvironment: (changes) => supervisor.lot.api.setEnvironment(changes),
        runAction: (name, request) => supervisor.lot.api.runAction(name, request),
        trace: (action, untilMs) => supervisor.lot.api.trace(action, untilMs),
        state: (entity) => supervisor.lot.api.state(entity),
      },
      store: isStored(config)
        ? {
            saveDefinitions: async (changes) => supervisor.storage?.api.saveDefinitions(changes),
            definitions: async () => (await supervisor.storage?.api.definitions()) ?? [],
          }
        : undefined,
      publish,
      python: this.#python,
      projects: (task) => new Projects(task),
      connections: () => {
        const seats = supervisor.wiring.connections
        return seats.reduce((sum, { counters }) => sum + openCounters(counters)[Counter.socketsOpen], 0)
      },
      updateStatistics: parts.updateStatistics,
    })
  }

  /** Puts to work what is kept: before clients are let in. @throws BrokerError when the store cannot be read */
  async restore(): Promise<void> {
    await this.#centre.start()
    this.#hasStarted = true
    const early = this.#early
    this.#early = []
    for (const event of early) this.#centre.handle(event)
  }

  /** What threads are told of users, rules and bans. */
  get whole(): WholeSecurity {
    return this.#centre
  }

  /** Carries out a command of the broker's owner. */
  execute(text: string): Promise<Reply | undefined> {
    return this.#centre.execute(text)
  }

  /** What is to be told once to whoever has started the broker. */
  get firstNotice(): readonly string[] {
    return this.#centre.firstNotice
  }

  /** Loads the project, which may come from far away: while clients are served. */
  loadProject(): Promise<void> {
    return this.#centre.startProjects()
  }

  /** What the LoT thread tells. */
  handle(event: LotEvent): void {
    switch (event.kind) {
      case 'runner':
        this.#python.attach(event.port)
        return
      case 'needValues':
        this.#own(this.#giveValues(event.number, event.filters), 'retained messages could not be read for GET TOPIC')
        return
      default:
        if (this.#hasStarted) this.#centre.handle(event)
        else this.#early.push(event)
    }
  }

  /** All shards were started anew: they have no retained message of the broker's own. */
  shardsRestarted(): void {
    this.#own(this.#centre.forget(), 'the topics of LoT could not be published again')
  }

  configurationChanged(): void {
    this.#centre.configurationChanged()
  }

  /** The LoT thread was started anew, and has nothing to run. */
  lotRestarted(): Promise<void> {
    return this.#centre.reinstall()
  }

  async stop(): Promise<void> {
    await this.#centre.stop()
    await this.#python.stop()
  }

  /** Ends Python, whatever it does. */
  async stopNow(): Promise<void> {
    await this.#python.stop()
  }

  async #giveValues(number: number, filters: readonly string[]): Promise<void> {
    const { supervisor } = this.#parts
    for (const filter of filters) {
      for (let after: string | undefined; ; ) {
        const page = await supervisor.shards[0].api.retainedValues(filter, after, RETAINED_PAGE)
        if (page.length > 0) await supervisor.lot.api.giveValues(0, page)
        if (page.length < RETAINED_PAGE) break
        after = page[page.length - 1].topic
      }
    }
    await supervisor.lot.api.giveValues(number, [])
  }

  /** For work that nobody waits for. */
  #own(work: Promise<unknown>, failure: string): void {
    work.catch((cause: unknown) => this.#log.warn(failure, { reason: messageOf(cause) }))
  }
}

/** Any shard publishes for all of them; the session of a recipient is in one that knows best itself. */
async function publishAll(shards: Supervisor['shards'], messages: readonly InternalPublish[]): Promise<void> {
  const addressed = messages.filter(({ recipient }) => recipient !== undefined)
  const open = messages.filter(({ recipient }) => recipient === undefined)
  if (open.length > 0) await shards[0].api.publish(open)
  if (addressed.length > 0) await tellAll(shards, ({ api }) => api.publish(addressed))
}

function debugMessage({ script, text, dropped }: PythonEvent): InternalPublish {
  const note = dropped === 0 ? '' : `(output of ${dropped} calls before this one was too much and is left out)\n`
  return { topic: `$SYS/Coreflux/Python/${script}/debug`, payload: encodeText(note + text), retain: false }
}
