/** For tests: runs the examples of a page of documentation as a reader would type them, one after the other. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { packageFolder } from '../src/base/version.js'
import { runMerlot } from '../src/cli/cli.fixture.js'

const MAIN = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))
/** Commands that are told which broker is meant. */
const CONNECTING = ['pub', 'sub', 'command']

/**
 * Stand before the real ones in PATH. They differ in what a test must not do: take ports and addresses that others may
 * use or look at (the last of several options counts), and install. `npm start` is what package.json says, built.
 */
const PROGRAMS = {
  merlot: `command="$1"; shift
case "$command" in
  start) exec "${process.execPath}" "${MAIN}" start "$@" --host 127.0.0.1 --port 0 --ws-port 0 --data "$DATA" ;;
  ${CONNECTING.join('|')}) exec "${process.execPath}" "${MAIN}" "$command" "$@" -h 127.0.0.1 -p "$PORT" ;;
  *) exec "${process.execPath}" "${MAIN}" "$command" "$@" ;;
esac`,
  npx: '[ "$1" = merlot ] || exit 99; exec "$@"',
  npm: `case "$1" in
  ci) exit 0 ;;
  start) shift; [ "$1" != -- ] || shift; exec merlot start "$@" ;;
  *) exit 99 ;;
esac`,
}

interface Block {
  readonly language: string
  readonly text: string
}

/** Fenced blocks marked `run`, as in "sh run": commands, one a line, or a configuration file to write. */
export function runnableBlocks(page: string): Block[] {
  return [...page.matchAll(/^```(sh|yaml) run\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
    language: language!,
    text: text!,
  }))
}

/** What an example printed until now. */
export interface Running {
  readonly command: string
  readonly child: ChildProcess
  stdout: string
  stderr: string
}

export class ExampleRunner {
  /** Examples that go on until they are stopped: the first broker, and subscribers. */
  readonly running: Running[] = []
  private port = ''

  private constructor(
    private readonly t: Test,
    private readonly folder: string,
  ) {}

  static create(t: Test): ExampleRunner {
    const folder = t.testdir({ 'app.log': '', plant: { 'plant.lotnb': '' } })
    mkdirSync(join(folder, 'bin'))
    for (const [name, text] of Object.entries(PROGRAMS)) {
      writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
    }
    return new ExampleRunner(t, folder)
  }

  writeConfiguration(text: string): void {
    this.writeFile('merlot.yaml', text)
  }

  writeFile(name: string, text: string): void {
    const path = join(this.folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }

  /** @throws Error with what it printed when it does not do what examples of its kind do */
  async run(command: string): Promise<void> {
    if (command.includes('--config merlot.yaml')) this.writeConfiguration('session: { receiveMaximum: 100 }\n')
    if (/\b(npm|merlot) start\b/.test(command)) return this.runBroker(command)
    if (/^tail -f|\bmerlot sub\b(?!.*--count 1$)/.test(command)) return this.runSubscriber(command)
    const words = plainWords(command.replace(/^npx /, ''))
    if (words?.[0] === 'merlot') return this.runHere(command, words.slice(1))
    const example = this.begin(command)
    const [code] = await once(example.child, 'close')
    if (code !== 0) throw new Error(`"${command}" ended with ${code}: ${example.stderr}`)
  }

  /** Stops what still runs, as Ctrl+C does. */
  async stop(): Promise<void> {
    for (const { child } of this.running.toReversed()) await interrupt(child)
  }

  /** In this process, which is quicker: what the program does as a process, others show. */
  private async runHere(command: string, words: readonly string[]): Promise<void> {
    const args = CONNECTING.includes(words[0]) ? [...words, '-h', '127.0.0.1', '-p', this.port] : words
    const { exitCode, stderr } = await runMerlot(args, { workingDirectory: this.folder })
    if (exitCode !== 0) throw new Error(`"${command}" ended with ${exitCode}: ${stderr}`)
  }

  /** The first broker stays for the examples that follow. */
  private async runBroker(command: string): Promise<void> {
    // the first broker goes on, and a data folder belongs to one only
    const example = this.begin(command, { DATA: this.port === '' ? 'data' : 'data.other' })
    await until(example, () => example.stdout.includes('stop with Ctrl+C'))
    if (this.port !== '') return interrupt(example.child)
    this.port = /listening on mqtt:.*:(\d+)/.exec(example.stdout)![1]!
    this.running.push(example)
  }

  private async runSubscriber(command: string): Promise<void> {
    const example = this.begin(command)
    if (!command.startsWith('tail')) await until(example, () => example.stderr.includes('subscribed to'))
    this.running.push(example)
  }

  private begin(command: string, settings: Readonly<Record<string, string>> = {}): Running {
    const environment = { PATH: `${join(this.folder, 'bin')}:${process.env.PATH}`, PORT: this.port, ...settings }
    // a group of its own, because a pipe is several processes
    const child = spawn('sh', ['-c', command], { cwd: this.folder, env: environment, detached: true })
    child.stdin.end()
    const example: Running = { command, child, stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => {
      example.stdout += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      example.stderr += chunk.toString()
    })
    this.t.teardown(() => send(child, 'SIGKILL'))
    return example
  }
}

const WORD = /(?:'[^']*'|"[^"$`\\]*"|[^\s'"$`\\|&;<>(){}*?~#])+(?:\s+|$)/gy

/** @returns the words of a command; undefined where only a shell knows what it means */
function plainWords(command: string): string[] | undefined {
  const words = command.match(WORD) ?? []
  if (words.join('') !== command) return undefined
  return words.map((word) => word.trimEnd().replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'))
}

/** Waits for output. @throws Error when the example ends before */
export async function until(example: Running, isThere: () => boolean): Promise<void> {
  const { child, command } = example
  while (!isThere()) {
    if (child.exitCode !== null) throw new Error(`"${command}" ended with ${child.exitCode}: ${example.stderr}`)
    const round = new AbortController()
    const { signal } = round
    await Promise.race([
      once(child.stdout!, 'data', { signal }),
      once(child.stderr!, 'data', { signal }),
      once(child, 'close', { signal }),
    ])
    round.abort()
  }
}

async function interrupt(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  send(child, 'SIGINT')
  await closed
}

function send(child: ChildProcess, name: 'SIGINT' | 'SIGKILL'): void {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  process.kill(-child.pid, name)
}

export function readPage(name: string): string {
  return readFileSync(join(packageFolder(), name), 'utf8')
}
