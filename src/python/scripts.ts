/**
 * The Python scripts of a broker, for its main thread. The thread and the process behind it are started with the first
 * script: a broker without scripts does not pay for Python.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type RunningThread, ThreadPool } from '../actors/thread-pool.js'
import { messageOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import type { BrokerConfig } from '../config/schema.js'
import { CallService, type RunnerPort, unanswered } from './call-service.js'
import type { PythonApi, PythonEvent, PythonTask, ToPythonThread } from './python-api.js'
import type { PackageChange, PythonPackage } from './python-package.js'
import type { Loading } from './sandbox.js'
import { pythonText, SCRIPT_CHARACTERS_MAX, scriptName } from './script.js'

export interface PythonScriptsOptions {
  readonly config: BrokerConfig
  /** Of the data folder; for the memory snapshot. */
  readonly folder: string
  readonly log: Logger
  /** `workers/python.js` */
  readonly worker: URL
  /** What a script printed during one call; for its debug topic. */
  printed(event: PythonEvent): void
}

export interface PythonScript {
  readonly name: string
  /** As it was deployed. */
  readonly code: string
  /** That LoT can call. */
  readonly functions: readonly string[]
}

export type AddedScript =
  | { readonly kind: 'added'; readonly script: PythonScript }
  /** `line` and `column` count from 1; 0 where there is none. `name` is undefined if the header is missing. */
  | {
      readonly kind: 'refused'
      readonly name: string | undefined
      readonly message: string
      readonly line: number
      readonly column: number
    }

/** A script of no user, which only imports. */
const TRIAL = 'trial of a package'

interface Running {
  readonly pool: ThreadPool<PythonApi>
  readonly thread: RunningThread<PythonApi>
  readonly events: MessagePort
}

export class PythonScripts {
  readonly #scripts = new Map<string, PythonScript>()
  /** What a Python thread that begins is told first, by name. */
  readonly #packages = new Map<string, PythonPackage>()
  /** Answers runners while there is no Python thread. */
  readonly #service = new CallService((request, settle) => settle(true, unanswered(request)))
  #running: Running | undefined

  constructor(readonly options: PythonScriptsOptions) {}

  /** Takes over the far end of a runner's port, at any time. */
  attach(port: MessagePort): void {
    if (this.#running === undefined) this.#service.attach({ port, words: undefined })
    else moveTo(this.#running.events, { port, words: undefined })
  }

  /**
   * Deploys a script in place of the one with the name in its header. If it is refused, that one stays.
   * @param fallbackName of a script without header, as old notebooks have it
   * @param isKept it was accepted before: if it is refused now, it is loaded again when packages change
   */
  async add(text: string, fallbackName?: string, isKept = false): Promise<AddedScript> {
    const name = scriptName(text) ?? fallbackName
    const refused = (message: string, line = 0, column = 0): AddedScript => {
      return { kind: 'refused', name, message, line, column }
    }
    if (name === undefined)
      return refused("the script has no name: its first line must be '# Script Name: Identifier'", 1)
    if (text.length > SCRIPT_CHARACTERS_MAX) return refused(`a script may have ${SCRIPT_CHARACTERS_MAX} characters`)
    let loading: Loading
    try {
      loading = await this.#start().thread.api.add(name, pythonText(text), isKept)
    } catch (cause) {
      return refused(messageOf(cause))
    }
    if (loading.kind === 'refused') return refused(loading.message, loading.line, loading.column)
    const script: PythonScript = { name, code: text, functions: loading.functions }
    this.#scripts.set(name, script)
    return { kind: 'added', script }
  }

  /** @returns whether there was one */
  async remove(name: string): Promise<boolean> {
    const wasThere = this.#scripts.delete(name)
    await this.#running?.thread.api.remove(name)
    return wasThere
  }

  /** For a package that was installed before: Python is not started for it. */
  keepPackage(made: PythonPackage): void {
    this.#packages.set(made.name, made)
    if (this.#running !== undefined) this.#tell(this.#running, made)
  }

  /** Installs a package in place of the one of that name. Never rejects. */
  async install(made: PythonPackage): Promise<PackageChange> {
    try {
      const change = await this.#start().thread.api.install(made)
      if (change.kind === 'done') this.#packages.set(made.name, made)
      return change
    } catch (cause) {
      return { kind: 'refused', message: messageOf(cause) }
    }
  }

  /** Never rejects. */
  async uninstall(name: string): Promise<PackageChange> {
    this.#packages.delete(name)
    try {
      return (await this.#running?.thread.api.uninstall(name)) ?? { kind: 'done', reloaded: [] }
    } catch (cause) {
      return { kind: 'refused', message: messageOf(cause) }
    }
  }

  /**
   * Calls of scripts wait meanwhile: no other module is tried once all took as long as a call may take.
   * @returns a line for each that a script could not import now. Never rejects.
   */
  async importProblems(modules: readonly string[]): Promise<readonly string[]> {
    const problems: string[] = []
    const endMs = performance.now() + this.options.config.python.callMsMax
    for (const module of modules) {
      const reason = await this.#importProblem(module)
      if (reason !== undefined) problems.push(`Module '${module}' cannot be imported now: ${reason}`)
      if (performance.now() >= endMs) break
    }
    return problems
  }

  async #importProblem(module: string): Promise<string | undefined> {
    try {
      const { api } = this.#start().thread
      const loading = await api.add(TRIAL, `import ${module}`, false)
      await api.remove(TRIAL)
      return loading.kind === 'refused' ? loading.message : undefined
    } catch (cause) {
      return messageOf(cause)
    }
  }

  /** In order of their names. */
  list(): readonly PythonScript[] {
    return [...this.#scripts.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  get(name: string): PythonScript | undefined {
    return this.#scripts.get(name)
  }

  /** @param target `Script.function` @throws Error whose message is for the user */
  async call(target: string, parameters: readonly unknown[]): Promise<string> {
    const request = { kind: 'python', target, arguments: JSON.stringify(parameters) } as const
    if (this.#running === undefined) throw new Error(unanswered(request))
    return this.#running.thread.api.call(target, request.arguments)
  }

  /** Of the process that runs Python; undefined while there is none. */
  async pid(): Promise<number | undefined> {
    return this.#running?.thread.api.pid()
  }

  async stop(): Promise<void> {
    this.#service.close()
    const running = this.#running
    if (running === undefined) return
    this.#running = undefined
    running.events.close()
    running.thread.end()
    await running.thread.ended.catch(() => {}) // told below
    await running.pool.destroy()
  }

  #start(): Running {
    if (this.#running !== undefined) return this.#running
    const { config, folder, log, worker } = this.options
    const pool = new ThreadPool<PythonApi>(worker, 1, log)
    const channel = new MessageChannel()
    const thread = pool.run(
      (ports) => {
        return { ...ports, config, folder, events: channel.port2 } satisfies PythonTask
      },
      [channel.port2],
    )
    channel.port1.on('message', (event: PythonEvent) => this.options.printed(event))
    for (const runner of this.#service.detachAll()) moveTo(channel.port1, runner)
    thread.ended.catch((cause: unknown) => this.#lost(cause))
    this.#running = { pool, thread, events: channel.port1 }
    for (const made of this.#packages.values()) this.#tell(this.#running, made)
    return this.#running
  }

  #tell({ thread }: Running, made: PythonPackage): void {
    const log = this.options.log
    const warn = (reason: string): void => log.warn('a Python package cannot be loaded', { package: made.name, reason })
    thread.api.install(made).then(
      (change) => {
        if (change.kind === 'refused') warn(change.message)
      },
      (cause: unknown) => warn(messageOf(cause)),
    )
  }

  /** A bug of ours. Runners that were attached wait for their limit; the next script starts a new thread. */
  #lost(cause: unknown): void {
    const running = this.#running
    if (running === undefined) return
    this.#running = undefined
    this.#scripts.clear()
    running.events.close()
    this.options.log.area('supervisor').error('the Python thread stopped; deploy the scripts again', {
      reason: messageOf(cause),
    })
    running.pool.destroy().catch(() => {})
  }
}

function moveTo(events: MessagePort, runner: RunnerPort): void {
  events.postMessage(runner satisfies ToPythonThread, [runner.port])
}
