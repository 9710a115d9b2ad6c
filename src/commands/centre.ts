/** The command centre: takes commands and what the LoT thread tells, and keeps what is deployed. */
import { join } from 'node:path'
import type { Clock } from '../base/clock.js'
import { messageOf, stackOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import { programVersion } from '../base/version.js'
import type { BrokerConfig } from '../config/schema.js'
import type { EnvironmentChange, LotEvent } from '../contracts/lot.js'
import type { InternalPublish } from '../contracts/threads.js'
import type { ProjectCommands, ProjectsTask } from '../projects/project.js'
import { Changes } from './changes.js'
import type { ChangeCommand, CommandServices } from './command.js'
import { type CommandLine, parseCommandLine } from './command-line.js'
import { COMMAND_TABLE, unknownCommand } from './command-table.js'
import { Committer, type DefinitionStore, type LotCalls } from './committer.js'
import { encodeReply, failure, type Reply } from './envelope.js'
import { Library } from './library.js'
import { Output } from './output.js'
import { projectDeployer } from './project-deployer.js'
import { PythonLibrary, type PythonScripts } from './python-library.js'
import { RetainedTopics } from './retained-topics.js'
import { seedOnce, setBuiltInRules } from './rules.js'
import { openSecretBox, type SecretBox } from './secret-box.js'
import { snapshotsOf } from './snapshots.js'
import { readDefinitions } from './stored.js'
import { setLicenseStatus, setNoProjects, setSystemTopics } from './system-topics.js'
import { TimerRuns } from './timer-runs.js'
import { Traces } from './traces.js'

export interface CentreOptions {
  readonly config: BrokerConfig
  readonly log: Logger
  readonly clock: Clock
  /** For MERLOT_SECRET_KEY. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly lot: LotCalls
  /** undefined where nothing is kept on disk. */
  readonly store: DefinitionStore | undefined
  /** Publishes on behalf of the broker, in the order of the list. */
  readonly publish: (messages: readonly InternalPublish[]) => Promise<void>
  /** undefined where there is no Python. */
  readonly python?: PythonScripts
  /** Makes the projects, once it is known what is to be remembered for them. */
  readonly projects?: (task: ProjectsTask) => ProjectCommands
  /** Network connections at the moment. */
  readonly connections?: () => number
  /** `-updateData` */
  readonly updateStatistics?: () => void
}

/** Commands that wait or run; each needs memory for its text and its answer. */
const COMMANDS_MAX = 20_000
const COMMAND_BYTES_MAX = 134_217_728

export class CommandCentre {
  readonly #options: CentreOptions
  readonly #library = new Library()
  readonly #topics = new RetainedTopics()
  readonly #box: SecretBox | undefined
  readonly #committer: Committer
  readonly #changes: Changes
  readonly #timerRuns: TimerRuns
  readonly #output: Output
  readonly #services: CommandServices & { projects: ProjectCommands | undefined }
  #running = 0
  #runningBytes = 0

  constructor(options: CentreOptions) {
    this.#options = options
    const { config, log, clock, lot, store, publish } = options
    const box = store === undefined ? undefined : openSecretBox(keyPlace(options))
    if (typeof box === 'string') log.error('secrets cannot be used', { reason: box })
    this.#box = typeof box === 'string' ? undefined : box
    const library = this.#library
    const topics = this.#topics
    this.#committer = new Committer({ library, store, box: this.#box, lot, topics, publish, log })
    this.#changes = new Changes(library, (draft) => this.#committer.commit(draft))
    const warn = (what: string) => (error: unknown) => log.warn(what, { reason: messageOf(error) })
    this.#timerRuns = new TimerRuns(this.#changes, warn('the last runs of timers could not be kept'))
    this.#output = new Output(publish, warn('the answer to a command could not be published'))
    this.#services = {
      config,
      clock,
      library,
      changes: this.#changes,
      lot,
      topics,
      traces: new Traces(clock, (action, untilMs) => lot.trace(action, untilMs)),
      python: new PythonLibrary(library, this.#changes, options.python, log),
      projects: undefined,
      deployOptions: {
        compat: config.compat,
        strictIndent: config.lot.strictIndent,
        plainOutput: config.models.plainOutput,
      },
      secretsProblem: typeof box === 'string' ? box : undefined,
      updateStatistics: () => this.#updateStatistics(),
    }
  }

  /**
   * Reads what is kept, publishes it and puts it to work. What cannot be read is logged and passed over.
   * @throws BrokerError when the store cannot be read
   */
  async start(): Promise<void> {
    const { config, log, store, projects } = this.#options
    setBuiltInRules(this.#library)
    const definitions = (await store?.definitions()) ?? []
    for (const problem of readDefinitions(definitions, this.#library, this.#box)) {
      log.error('a definition in the store is passed over', { reason: problem })
    }
    setSystemTopics(this.#topics, config, programVersion())
    this.#setLicenseStatus()
    for (const entry of this.#library.entities.values()) {
      for (const [topic, text] of snapshotsOf(entry)) this.#topics.set(topic, text)
    }
    this.#committer.setLists()
    if (projects === undefined) setNoProjects(this.#topics)
    else this.#services.projects = this.#makeProjects(projects)
    await this.#committer.publish()
    await this.reinstall()
    await this.#changes.make(seedOnce)
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

  /** What the LoT thread tells. Never throws. */
  handle(event: LotEvent): void {
    switch (event.kind) {
      case 'command':
        this.#own(this.execute(event.text), 'a command could not be answered')
        break
      case 'write':
        this.#own(this.#write(event.topic), 'a message to the broker could not be answered')
        break
      case 'environment':
        this.#own(this.#keepEnvironment(event.changes), 'environment values of an action could not be kept')
        break
      case 'timerRan':
        this.#timerRuns.note(event.action, event.atMs)
        break
    }
  }

  /** Carries out a command. Resolves with its answer when that was published; undefined if it has none. Never rejects. */
  async execute(text: string): Promise<Reply | undefined> {
    const line = parseCommandLine(text)
    const command = line === undefined ? undefined : COMMAND_TABLE.get(line.key)
    const reply = await this.#bounded(line, text.length)
    if (reply !== undefined) {
      const { plainTextOutput } = this.#options.config.commands
      await this.#output.send(encodeReply(command?.name, line?.requestId, reply, plainTextOutput))
    }
    return reply
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
    await this.#timerRuns.flush().catch(() => {})
    await this.#changes.idle
  }

  // ---------- commands ----------

  async #bounded(line: CommandLine | undefined, size: number): Promise<Reply | undefined> {
    if (this.#running >= COMMANDS_MAX || this.#runningBytes + size > COMMAND_BYTES_MAX) {
      return failure('Too many commands are waiting: send this one again later')
    }
    this.#running++
    this.#runningBytes += size
    try {
      return await this.#reply(line)
    } catch (error) {
      // the text of the command may hold a secret: the name is all that is told
      this.#options.log.error('a command failed', { command: line?.key, reason: stackOf(error) })
      return failure(messageOf(error))
    } finally {
      this.#running--
      this.#runningBytes -= size
    }
  }

  async #reply(line: CommandLine | undefined): Promise<Reply | undefined> {
    if (line === undefined) return unknownCommand('')
    const command = COMMAND_TABLE.get(line.key)
    if (command === undefined) return unknownCommand(line.written)
    if ('change' in command) return await this.#change(command, line)
    await this.#changes.settled()
    return await command.answer(line, this.#services)
  }

  async #change(command: ChangeCommand, line: CommandLine): Promise<Reply> {
    const { reply, touched } = await this.#changes.make((draft) => {
      const from = draft.touched.length
      return { reply: command.change(draft, line, this.#services), touched: draft.touched.slice(from) }
    })
    this.#release(touched)
    return reply
  }

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

  async #write(topic: string): Promise<void> {
    if (topic !== '$SYS/Coreflux/Config/New') return
    const message = 'The configuration cannot be changed while the broker runs: change its file, and start it again'
    const { plainTextOutput } = this.#options.config.commands
    await this.#output.send(encodeReply('SetConfig', undefined, failure(message), plainTextOutput))
  }

  /** Secrets that cannot be encrypted stay in the memory of the LoT thread alone. */
  async #keepEnvironment(changes: readonly EnvironmentChange[]): Promise<void> {
    const { secretsProblem } = this.#services
    const kept = changes.filter(({ secret }) => !secret || secretsProblem === undefined)
    if (kept.length < changes.length) this.#options.log.warn('a secret is not kept', { reason: secretsProblem })
    await this.#changes.make((draft) => draft.takeEnvironment(kept))
  }

  // ---------- the rest ----------

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

function keyPlace({ config, environment }: CentreOptions): {
  readonly given: string | undefined
  readonly file: string
} {
  const { keyFile } = config.lot
  return {
    given: environment.MERLOT_SECRET_KEY,
    file: keyFile === '' ? join(config.dataDirectory, 'secret.key') : keyFile,
  }
}
