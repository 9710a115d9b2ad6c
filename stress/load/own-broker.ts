import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A broker of ours, running as a child process with a data folder that lives as long as it does. */
export interface OwnBroker {
  readonly url: string
  readonly pid: number
  /** Of the user `root`. */
  readonly rootPassword: string
  /** The last 4,000 characters that it wrote. */
  output(): string
  /** Ends it in order, or by force after 10 s, and removes its data. @returns how it ended, for the report */
  stop(): Promise<string>
}

const PROGRAM = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const LISTENING = /listening on (mqtt:\/\/\S+:\d+)/
const START_MS = 30_000
const STOP_MS = 10_000
const TAIL_CHARACTERS = 4_000

/** @param settings `key=value` for `--set` @throws Error with the last output when it does not come up within 30 s */
export async function startOwnBroker(settings: readonly string[] = []): Promise<OwnBroker> {
  const data = await mkdtemp(join(tmpdir(), 'merlot-load-'))
  const flags = ['start', '--port', '0', '--ws-port', '0', '--data', data]
  const sets = settings.flatMap((setting) => ['--set', setting])
  const rootPassword = randomBytes(18).toString('base64url')
  // A group of its own: Ctrl-C ends the load in order, and the load then ends the broker.
  const child = spawn(process.execPath, [PROGRAM, ...flags, ...sets], {
    detached: true,
    env: { ...process.env, MERLOT_ROOT_PASSWORD: rootPassword },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const stop = async (): Promise<string> => {
    const ending = await stopChild(child)
    process.off('exit', killWithUs)
    await rm(data, { recursive: true, force: true })
    return ending
  }
  const said = { text: '' }
  try {
    const url = await listening(child, said)
    return { url, pid: child.pid ?? 0, rootPassword, output: () => said.text, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** @param said keeps the end of the output as long as the broker runs */
function listening(child: ChildProcess, said: { text: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => reject(new Error(`our broker ${what}\n${said.text}`.trimEnd()))
    const timeout = setTimeout(() => fail(`did not listen within ${START_MS} ms`), START_MS)
    const onOutput = (chunk: Buffer): void => {
      said.text = (said.text + chunk.toString()).slice(-TAIL_CHARACTERS)
      const url = LISTENING.exec(said.text)?.[1]
      if (url === undefined) return
      clearTimeout(timeout)
      resolve(url)
    }
    child.stdout?.on('data', onOutput)
    child.stderr?.on('data', onOutput)
    child.once('error', (error) => fail(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => {
      clearTimeout(timeout)
      fail(`ended with ${signal ?? `status ${code}`}`)
    })
  })
}

async function stopChild(child: ChildProcess): Promise<string> {
  if (child.pid === undefined) return 'was never started'
  if (child.exitCode !== null || child.signalCode !== null) return describeExit(child)
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timeout = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await ended
  clearTimeout(timeout)
  return describeExit(child)
}

function describeExit({ exitCode, signalCode }: ChildProcess): string {
  return signalCode === null ? `status ${exitCode}` : signalCode
}
