/** The command centre: takes commands and what the LoT thread tells, and keeps what is deployed. */
import { join } from 'node:path'
import type { Trail } from '../audit/trail.js'
import type { Clock } from '../base/clock.js'
import { messageOf, stackOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import { SecretBox } from '../base/secret-box.js'
import { openSecretKey } from '../base/secret-key.js'
import { programVersion } from '../base/version.js'
import type { BrokerConfig } from '../config/schema.js'
import { secretKeyPlace } from '../config/secret-key-place.js'
import type { BansChange } from '../contracts/bans.js'
import type { EnvironmentChange, LotEvent } from '../contracts/lot.js'
import type { AccessChange, AccessQuestion, CredentialsChange, Decision, Identity } from '../contracts/security.js'
import type { InternalPublish, Recipient } from '../contracts/threads.js'
import type { ProjectCommands, ProjectsTask } from '../projects/project.js'
import { firstRoot, ROOT_VARIABLE } from '../security/root-user.js'
import { ROOT } from '../security/user-name.js'
import type { AccessService } from './access-command.js'
import { BanKeeper } from './ban-keeper.js'
import { Changes } from './changes.js'
import type { CommandServices } from './command.js'
import { auditOfCommand } from './command-audit.js'
import { CommandDesk } from './command-desk.js'
import { parseCommandLine } from './command-line.js'
import { COMMAND_TABLE } from './command-table.js'
import { Committer, type DefinitionStore, type LotCalls } from './committer.js'
import type { Configuration } from './config-command.js'
import { encodeReply, type Reply } from './envelope.js'
import { type Identities, makeDecoyKey, wholeAccess, wholeCredentials } from './identities.js'
import { Library } from './library.js'
import { newPassword } from './new-password.js'
import { Output } from './output.js'
import { projectDeployer } from './project-deployer.js'
import { PythonLibrary, type PythonScripts } from './python-library.js'
import { RetainedTopics } from './retained-topics.js'
import { seedOnce, setBuiltInRules } from './rules.js'
import { SafeCopy } from './safe-copy.js'
import { snapshotsOf } from './snapshots.js'
import { readDefinitions } from './stored.js'
import {
  setConfigTopic,
  setLicenseStatus,
  setNoProjects,
  setPackages,
  setSystemTopics,
  setUsers,
} from './system-topics.js'
import { SystemWrites } from './system-writes.js'
import { TimerRuns } from './timer-runs.js'
import { Traces } from './traces.js'
import { newUser } from './users.js'

export interface CentreOptions {
  readonly config: BrokerConfig
  readonly log: Logger
  readonly clock: Clock
  /** For MERLOT_SECRET_KEY and MERLOT_ROOT_PASSWORD. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly lot: LotCalls
  /** What rules say of it at this moment. undefined where nobody can be asked, as in tests: the broker alone may command then. */
  readonly decide?: (question: AccessQuestion) => Promise<Decision>
  /** For `-checkAccess`; undefined where nobody can be asked, as in tests. */
  readonly access?: AccessService
  /** undefined where nobody need be told, as in tests. */
  readonly identities?: Identities
  /** Tells all connection threads, and resolves when they know; undefined where there are none, as in tests. */
  readonly tellBans?: (change: BansChange) => Promise<void>
  /** undefined where nothing is kept on disk. */
  readonly store: DefinitionStore | undefined
  /** Publishes on behalf of the broker, in the order of the list. */
  readonly publish: (messages: readonly InternalPublish[]) => Promise<void>
  /** undefined where it is disabled. */
  readonly audit?: Trail
  /** undefined where there is no Python. */
  readonly python?: PythonScripts
  /** Makes the projects, once it is known what is to be remembered for them. */
  readonly projects?: (task: ProjectsTask) => ProjectCommands
  /** undefined where it cannot be changed, as in tests. */
  readonly configuration?: Configuration
  /** Network connections at the moment. */
  readonly connections?: () => number
  /** `-updateData` */
  readonly updateStatistics?: () => void
}

/** Whose commands are that an Action publishes: what it may do, its author need not be allowed to do. */
const NOBODY: Identity = { userName: undefined, clientId: '', address: '', port: 0, claims: undefined }

export class CommandCentre {
  readonly #options: CentreOptions
  readonly #library = new Library()
  readonly #topics = new RetainedTopics()
  readonly #box: SecretBox | undefined
  readonly #safeCopy: SafeCopy | undefined
  readonly #committer: Committer
  readonly #changes: Changes
  readonly #timerRuns: TimerRuns
  readonly #output: Output
  readonly #writes: SystemWrites
  readonly #desk: CommandDesk
  readonly #services: CommandServices & { projects: ProjectCommands | undefined }
  #firstNotice: readonly string[] = []

  constructor(options: CentreOptions) {
    this.#options = options
    const { config, log, clock, lot, store, publish, identities } = options
    const key = store === undefined ? undefined : openSecretKey(secretKeyPlace(config, options.environment))
    if (typeof key === 'string') log.error('secrets cannot be used', { reason: key })
    const box = typeof key === 'object' ? new SecretBox(key) : undefined
    const safeCopy = key === undefined ? undefined : new SafeCopy(config.dataDirectory, key, log)
    this.#box = box
    this.#safeCopy = safeCopy
    const library = this.#library
    const topics = this.#topics
    this.#committer = new Committer({ library, store, box, safeCopy, lot, identities, topics, publish, log })
    this.#changes = new Changes(library, (draft) => this.#committer.commit(draft))
    const warn = (what: string) => (error: unknown) => log.warn(what, { reason: messageOf(error) })
    this.#timerRuns = new TimerRuns(this.#changes, warn('the last runs of timers could not be kept'))
    this.#output = new Output(publish, warn('the answer to a command could not be published'))
    this.#writes = new SystemWrites({
      configuration: options.configuration,
      decide: options.decide,
      audit: options.audit,
      log,
      clock,
      answer: (command, reply) => this.#answer(command, undefined, reply),
    })
    const bans = new BanKeeper({
      library,
      changes: this.#changes,
      topics,
      clock,
      log,
      limits: () => config.limits.ban,
      tell: options.tellBans ?? (async () => {}),
      publish: () => this.#committer.publish(),
    })
    this.#services = {
      config,
      clock,
      audit: options.audit,
      access: options.access,
      bans,
      library,
      changes: this.#changes,
      lot,
      topics,
      traces: new Traces(clock, (action, untilMs) => lot.trace(action, untilMs)),
      python: new PythonLibrary(library, this.#changes, options.python, config.python.wheelsFolder, log),
      projects: undefined,
      deployOptions: {
        compat: config.compat,
        strictIndent: config.lot.strictIndent,
        plainOutput: config.models.plainOutput,
      },
      secretsProblem: typeof key === 'string' ? key : undefined,
      updateStatistics: () => this.#updateStatistics(),
    }
    this.#desk = new CommandDesk({
      services: this.#services,
      decide: options.decide,
      log,
      touched: (keys) => this.#release(keys),
    })
  }

  /**
   * Reads what is kept, publishes it and puts it to work. What cannot be read is logged and passed over.
   * @throws BrokerError RULE_UNREADABLE, IDENTITIES_UNREADABLE where users or rules are lost; when the store cannot be
   *   read, or the password that `root` is to get is none
   */
  async start(): Promise<void> {
    const { log, store, projects } = this.#options
    const definitions = (await store?.definitions()) ?? []
    const unread = readDefinitions(definitions, this.#library, this.#box)
    for (const reason of unread.problems) log.error('a definition in the store is passed over', { reason })
    const bringBack = this.#safeCopy?.open(this.#library, unread.rules)
    setBuiltInRules(this.#library)
    setSystemTopics(this.#topics, programVersion())
    this.#setConfigTopic()
    this.#setLicenseStatus()
    for (const entry of this.#library.entities.values()) {
      for (const [topic, text] of snapshotsOf(entry)) this.#topics.set(topic, text)
    }
    this.#committer.setLists()
    setUsers(this.#topics, this.#library.users.values())
    setPackages(this.#topics, this.#library.packages.values())
    if (projects === undefined) setNoProjects(this.#topics)
    else this.#services.projects = this.#makeProjects(projects)
    this.#services.bans.start()
    await this.#committer.publish()
    await this.reinstall()
    await this.#changes.make((draft) => {
      bringBack?.(draft)
      seedOnce(draft)
      makeDecoyKey(draft)
    })
    await this.#makeRoot()
    for (const user of this.#library.unreadableUsers) {
      const remedy = `give the user a new record: merlot user add ${user}`
      log.error('a user is damaged in the store and in no copy: it is refused, however it logs in', { user, remedy })
    }
    this.#own(this.#services.python.loadAll(), 'the Python scripts could not be loaded')
  }

  /** Loads the project that the configuration names, or the one that was loaded last. What is wrong with it is logged. */
  async startProjects(): Promise<void> {
    const { config, log } = this.#options
    const reply = await this.#services.projects?.start(config.lot.project === '' ? undefined : config.lot.project)
    if (reply === undefined) return
    const errors = reply.errors?.length ?? 0
    if (reply.success && errors === 0) log.info('project loaded', { outcome: reply.message })
    else log.error('the project was not loaded completely', { outcome: reply.message, errors })
  }

  /** For a shard that has just begun. */
  wholeAccess(): AccessChange {
    return wholeAccess(this.#library)
  }

  /** For a connection thread that has just begun. */
  wholeCredentials(): CredentialsChange {
    return wholeCredentials(this.#library)
  }

  /** Takes what connection threads report, and tells those that begin who is banned. */
  get bans(): BanKeeper {
    return this.#services.bans
  }

  /** What `start` has to tell whoever started the broker, and nobody else; nothing after the first start. */
  get firstNotice(): readonly string[] {
    return this.#firstNotice
  }

  /** What the LoT thread tells. Never throws. */
  handle(event: LotEvent): void {
    switch (event.kind) {
      case 'command':
        this.#own(this.execute(event.text, event.identity ?? NOBODY), 'a command could not be answered')
        break
      case 'write':
        this.#own(this.#writes.take(event), 'a message to the broker could not be answered')
        break
      case 'environment':
        this.#own(this.#keepEnvironment(event.changes), 'environment values of an action could not be kept')
        break
      case 'timerRan':
        this.#timerRuns.note(event.action, event.atMs)
        break
    }
  }

  /**
   * Carries out a command. Resolves with its answer when that was published; undefined if it has none. Never rejects.
   * A confidential answer to the broker itself is not published.
   * @param sender undefined for the broker itself, which may do everything
   */
  async execute(text: string, sender?: Identity): Promise<Reply | undefined> {
    const line = parseCommandLine(text)
    const command = line === undefined ? undefined : COMMAND_TABLE.get(line.key)
    const reply = await this.#desk.carryOut(line, text.length, sender)
    this.#options.audit?.record(auditOfCommand(line, command, reply, sender))
    if (reply === undefined) return undefined
    if (command?.isConfidential !== true) await this.#answer(command?.name, line?.requestId, reply)
    else if (sender !== undefined) await this.#answer(command.name, line?.requestId, reply, sender)
    return reply
  }

  /** @param recipient undefined for everybody who reads answers */
  #answer(
    command: string | undefined,
    requestId: string | undefined,
    reply: Reply,
    recipient?: Recipient,
  ): Promise<void> {
    const { plainTextOutput } = this.#options.config.commands
    const to = recipient && { clientId: recipient.clientId, userName: recipient.userName }
    return this.#output.send(encodeReply(command, requestId, reply, plainTextOutput, to))
  }

  /** The configuration has changed: it is shown as it is now. */
  configurationChanged(): void {
    this.#setConfigTopic()
    this.#own(this.#committer.publish(), 'the configuration could not be published')
  }

  /** All shards were started anew: they get all retained messages again. */
  async forget(): Promise<void> {
    this.#topics.forget()
    await this.#committer.publish()
    await this.#services.projects?.republish()
  }

  /** The LoT thread was started anew, or has just begun: it gets everything. */
  async reinstall(): Promise<void> {
    try {
      await this.#committer.installAll()
      await this.#services.traces.tellAll()
    } catch (error) {
      this.#options.log.warn('the LoT thread did not take what is deployed', { reason: messageOf(error) })
    }
  }

  /** Resolves when everything that was asked for is in force and on disk. */
  async stop(): Promise<void> {
    this.#services.bans.stop()
    await this.#timerRuns.flush().catch(() => {})
    await this.#changes.idle
  }

  // ---------- commands ----------

  /** What was added or removed by hand no longer belongs to a project. */
  #release(keys: readonly string[]): void {
    const { projects } = this.#services
    if (projects === undefined || keys.length === 0) return
    const entities = keys.map((key) => {
      const [kind] = key.split('/', 1)
      return { kind: kind as 'model', name: key.slice(kind.length + 1) }
    })
    this.#own(projects.release(entities), 'the owners of entities could not be kept')
  }

  // ---------- what else the LoT thread tells ----------

  /** Secrets that cannot be encrypted stay in the memory of the LoT thread alone. */
  async #keepEnvironment(changes: readonly EnvironmentChange[]): Promise<void> {
    const { secretsProblem } = this.#services
    const kept = changes.filter(({ secret }) => !secret || secretsProblem === undefined)
    if (kept.length < changes.length) this.#options.log.warn('a secret is not kept', { reason: secretsProblem })
    await this.#changes.make((draft) => draft.takeEnvironment(kept))
  }

  // ---------- the rest ----------

  /** At the first start, and where the store has lost it. */
  async #makeRoot(): Promise<void> {
    const { config, environment, clock, log } = this.#options
    if (this.#library.users.has(ROOT)) {
      if (environment[ROOT_VARIABLE]) log.info(`root is there already: ${ROOT_VARIABLE} is for the first start`)
      return
    }
    const { password, notice } = firstRoot({ config, environment })
    const kept = await newPassword(password, config.authentication)
    await this.#changes.make((draft) => draft.users.set(ROOT, newUser(ROOT, kept, clock.now())))
    this.#firstNotice = notice
  }

  #makeProjects(make: (task: ProjectsTask) => ProjectCommands): ProjectCommands {
    const { config, publish } = this.#options
    const remembered = [...this.#library.notes].filter(([key]) => key.startsWith('projects/'))
    return make({
      folder: join(config.dataDirectory, 'projects'),
      deployer: projectDeployer(this.#changes, this.#services),
      publish: (messages) => publish(messages),
      remembered: new Map(remembered),
      remember: (key, text) =>
        this.#changes.make((draft) => (text === undefined ? draft.notes.delete(key) : draft.notes.set(key, text))),
    })
  }

  #setConfigTopic(): void {
    const { config, configuration } = this.#options
    setConfigTopic(this.#topics, configuration?.asked ?? config, configuration?.needsRestart ?? [])
  }

  #updateStatistics(): void {
    this.#setLicenseStatus()
    this.#own(this.#committer.publish(), 'statistics could not be published')
    this.#options.updateStatistics?.()
  }

  #setLicenseStatus(): void {
    setLicenseStatus(this.#topics, this.#options.connections?.() ?? 0)
  }

  /** For work that nobody waits for. */
  #own(work: Promise<unknown>, failureText: string): void {
    work.catch((error: unknown) => this.#options.log.error(failureText, { reason: stackOf(error) }))
  }
}
