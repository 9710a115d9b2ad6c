import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { systemCode } from '../../src/base/system-error.js'

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
/** A process that another one has started anew writes this to its log. */
const SUCCESSOR = /"successor":(\d+)/
/** One that has begun to end is quick. */
const END_MS = 5_000
const STOPPED = /"msg":"stopped"/
const LOOK_MS = 5
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
  /** Of the process that `#child` has started in its own place, in the same group and with the same output. */
  #successor: number | undefined
  #said = ''
  /** Where it listens; undefined while it is down. */
  url: string | undefined

  constructor(
    private readonly launcher: Launcher,
    /** May be changed while the broker is down. */
    public dataFolder: string,
  ) {}

  get pid(): number {
    return this.#successor ?? this.#child?.pid ?? 0
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
    this.#successor = undefined
    const killWithUs = (): void => killGroup(child, 'SIGKILL')
    process.once('exit', killWithUs)
    child.once('close', () => process.off('exit', killWithUs))
    child.once('exit', () => {
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

  /**
   * Sends an order on which the broker ends and leaves its place to a process that it starts: that one is meant from then
   * on, and takes no orders.
   * @returns where that one listens; undefined when the broker goes on itself @throws Error when none is up within 60 s
   */
  async orderSuccession(line: string): Promise<string | undefined> {
    this.#said = ''
    this.order(line)
    const child = this.#child
    if (child === undefined || !(await until(() => hasEnded(child), END_MS))) return undefined
    if (this.wasAborted) return undefined
    let url: string | undefined
    const isUp = (): boolean => {
      url = this.launcher.listening.exec(this.#said)?.[1]
      return url !== undefined
    }
    await until(() => isUp() || isSilent(child), START_MS)
    const successor = SUCCESSOR.exec(this.#said)?.[1]
    if (url === undefined || successor === undefined) {
      throw new Error(`no process took the place of the broker\n${this.#said}`.trimEnd())
    }
    this.#successor = Number(successor)
    this.url = url
    return url
  }

  /**
   * Node.js aborts the process where a thread is ended from outside within certain calls of native code. No thread comes
   * to such an end by itself: the strike has missed what it was meant for.
   */
  get wasAborted(): boolean {
    return this.#child?.signalCode === 'SIGABRT'
  }

  signal(name: NodeJS.Signals): void {
    if (this.#child !== undefined) killGroup(this.#child, name)
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
    if (this.isRunning) {
      const ended = once(child, 'close')
      killGroup(child, signal)
      const timeout = setTimeout(() => killGroup(child, 'SIGKILL'), STOP_MS)
      await ended
      clearTimeout(timeout)
    }
    if (this.#successor === undefined) return child.signalCode ?? `status ${child.exitCode}`
    // nobody asks for the status of a process whose parent is gone, but its last words are known
    return STOPPED.test(this.#said) ? 'status 0' : 'no word'
  }

  get isRunning(): boolean {
    const child = this.#child
    if (child?.pid === undefined) return false
    return this.#successor === undefined ? !hasEnded(child) : !isSilent(child)
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

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** Whether all who could write to its output have ended. */
function isSilent(child: ChildProcess): boolean {
  return child.stdout?.closed ?? true
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill(signal)
    else process.kill(-child.pid, signal)
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error
  }
}

async function until(condition: () => boolean, limitMs: number): Promise<boolean> {
  const endMs = performance.now() + limitMs
  while (!condition() && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  return condition()
}
