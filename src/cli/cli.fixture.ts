/** For tests: the command line in this process, and `merlot` as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { runCommandLine } from './run.js'

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url))

/** A stream whose text can be waited for. */
class Collected extends Writable {
  text = ''
  readonly isTTY = false

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    this.emit('text')
    done()
  }

  /** @returns the first match, once it is there */
  async find(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.text)
      if (match !== null) return match
      await once(this, 'text')
    }
  }
}

export interface CommandRun {
  readonly stdout: Collected
  readonly stderr: Collected
  readonly exitCode: Promise<number>
}

export interface RunSettings {
  readonly stdin?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly workingDirectory?: string
}

/** Begins a command in this process. */
export function beginMerlot(args: readonly string[], settings: RunSettings = {}): CommandRun {
  const stdout = new Collected()
  const stderr = new Collected()
  const exitCode = runCommandLine(args, {
    stdin: Readable.from(settings.stdin === undefined ? [] : [Buffer.from(settings.stdin)]),
    stdout,
    stderr,
    environment: settings.environment ?? {},
    workingDirectory: settings.workingDirectory ?? process.cwd(),
  })
  return { stdout, stderr, exitCode }
}

export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command in this process to its end. */
export async function runMerlot(args: readonly string[], settings?: RunSettings): Promise<CommandResult> {
  const { exitCode, stdout, stderr } = beginMerlot(args, settings)
  return { exitCode: await exitCode, stdout: stdout.text, stderr: stderr.text }
}

export interface MerlotProcess extends CommandRun {
  readonly child: ChildProcess
}

/** Starts `merlot` as a process; it is ended with the test if it is still there. */
export function spawnMerlot(
  t: Test,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): MerlotProcess {
  const stdout = new Collected()
  const stderr = new Collected()
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env.PATH, ...environment },
    cwd: tmpdir(), // no configuration file of the folder the tests are run in
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.pipe(stdout)
  child.stderr.pipe(stderr)
  const exitCode = once(child, 'close').then(([code, signal]: unknown[]) => {
    if (typeof code !== 'number') throw new Error(`merlot ended by ${String(signal)}: ${stderr.text}`)
    return code
  })
  exitCode.catch(() => {}) // whoever waits for it sees the failure
  t.teardown(() => child.kill('SIGKILL'))
  return { child, stdout, stderr, exitCode }
}

export interface BrokerProcess extends MerlotProcess {
  readonly port: string
  readonly webSocketUrl: string
}

/** Starts a broker on free ports and waits until it listens. @throws Error with what it printed, when it does not */
export async function startBrokerProcess(t: Test, args: readonly string[] = []): Promise<BrokerProcess> {
  const started = spawnMerlot(t, ['start', '--port', '0', '--ws-port', '0', '--data', t.testdir({}), ...args])
  const ended = started.exitCode.then((code) => {
    throw new Error(`the broker ended with exit code ${code}: ${started.stderr.text}`)
  })
  await Promise.race([started.stdout.find(/stop with Ctrl\+C/), ended])
  ended.catch(() => {}) // later it may end as the test wants
  const [, port] = await started.stdout.find(/listening on mqtt:\/\/127\.0\.0\.1:(\d+)/)
  const [, webSocketUrl] = await started.stdout.find(/listening on (ws:\S+)/)
  return { ...started, port: port!, webSocketUrl: webSocketUrl! }
}
