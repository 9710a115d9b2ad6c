import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** How to start a broker on a data folder, and how to tell that it is up. */
export interface Launcher {
  readonly command: string
  args(dataFolder: string): readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Matches the line that says it is up; the first group is its URL. */
  readonly listening: RegExp
}

const PROGRAM = fileURLToPath(new URL('./mortal-broker.js', import.meta.url))
const START_MS = 60_000
const STOP_MS = 30_000
const TAIL_CHARACTERS = 16_000

/** @param settings `key=value` @param environment beside what is inherited */
export function ourBroker(
  shards: number,
  settings: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Launcher {
  const threads = [`threads.shards=${shards}`, 'threads.connections=1']
  const sets = [...threads, ...settings].flatMap((setting) => ['--set', setting])
  return {
    command: process.execPath,
    args: (data) => [PROGRAM, 'start', '--port', '0', '--ws-port', '0', '--data', data, ...sets],
    environment,
    listening: /listening on (mqtt:\/\/\S+:\d+)/,
  }
}

/** A broker as a process that is started, killed and started again on one data folder. */
export class BrokerProcess {
  #child: ChildProcess | undefined
  #said = ''
  /** Where it listens; undefined while it is down. */
  url: string | undefined

  constructor(
    private readonly launcher: Launcher,
    /** May be changed while the broker is down. */
    public dataFolder: string,
  ) {}

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** The last 16,000 characters that this start has written. */
  get output(): string {
    return this.#said
  }

  /** @returns the URL @throws Error with the last output when it ends or is not up within 60 s */
  async start(): Promise<string> {
    this.#said = ''
    const { command, environment } = this.launcher
    // A group of its own: Ctrl-C ends the run in order, and the run then ends the broker.
    const child = spawn(command, [...this.launcher.args(this.dataFolder)], {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    })
    this.#child = child
    const killWithUs = (): void => void child.kill('SIGKILL')
    process.once('exit', killWithUs)
    child.once('exit', () => {
      process.off('exit', killWithUs)
      if (this.#child === child) this.url = undefined
    })
    // Somebody writes to a broker that was killed meanwhile.
    child.stdin?.on('error', () => undefined)
    this.url = await this.#listening(child)
    return this.url
  }

  #listening(child: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (what: string): void => {
        clearTimeout(timeout)
        reject(new Error(`the broker ${what}\n${this.#said}`.trimEnd()))
      }
      const timeout = setTimeout(() => {
        fail(`was not up within ${START_MS} ms`)
        child.kill('SIGKILL')
      }, START_MS)
      const onOutput = (chunk: Buffer): void => {
        this.#said = (this.#said + chunk.toString()).slice(-TAIL_CHARACTERS)
        const url = this.launcher.listening.exec(this.#said)?.[1]
        if (url === undefined) return
        clearTimeout(timeout)
        resolve(url)
      }
      child.stdout?.on('data', onOutput)
      child.stderr?.on('data', onOutput)
      child.once('error', (error) => fail(`could not be started: ${error.message}`))
      child.once('exit', (code, signal) => fail(`ended with ${signal ?? `status ${code}`}`))
    })
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  /** Ends it with SIGKILL and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Ends it in order. @returns `status 0`, or how else it ended; by force after 30 s */
  async stop(): Promise<string> {
    return this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<string> {
    const child = this.#child
    this.url = undefined
    if (child?.pid === undefined) return 'was never started'
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'close')
      child.kill(signal)
      const timeout = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await ended
      clearTimeout(timeout)
    }
    return child.signalCode ?? `status ${child.exitCode}`
  }

  get isRunning(): boolean {
    const child = this.#child
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null
  }

  /** Sends a line to its standard input, where it takes orders to kill its own threads. */
  order(line: string): void {
    this.#child?.stdin?.write(`${line}\n`)
  }

  /** Identifiers of its threads; undefined where the system does not tell. */
  threads(): ReadonlySet<string> | undefined {
    try {
      return new Set(readdirSync(`/proc/${this.pid}/task`))
    } catch {
      return undefined
    }
  }
}
