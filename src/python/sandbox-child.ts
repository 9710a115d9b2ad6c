/** One life of the process that runs Python, seen from the broker. */
import { type ChildProcess, spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { entryFile } from '../base/entry-file.js'
import { messageOf } from '../base/errors.js'
import { type Frame, FrameReader, FromSandboxKind, frameOf } from './frames.js'
import { PYODIDE_FOLDER } from './pyodide-files.js'
import { sandboxEnvironment, sandboxFlags } from './sandbox-flags.js'
import type { SandboxArguments } from './sandbox-process.js'

const ENTRY = fileURLToPath(entryFile('sandbox-process'))
/** Of what it writes to its standard error; the rest is thrown away. */
const COMPLAINT_CHARACTERS_MAX = 2_000

export interface ChildEvents {
  /** Everything but READY. */
  frame(frame: Frame): void
  /** Once, when it is gone: from then on nothing else. `reason` is for the log. */
  ended(reason: string): void
}

export class SandboxChild {
  readonly #process: ChildProcess
  readonly #events: ChildEvents
  /** Resolves when Python is up, rejects if the process ends before. */
  readonly ready: Promise<void>
  #complaint = ''
  #hasEnded = false
  #settleReady: { resolve(): void; reject(cause: Error): void } | undefined

  constructor(options: Omit<SandboxArguments, 'pyodide'>, events: ChildEvents) {
    const files = options.snapshot === undefined ? [PYODIDE_FOLDER] : [PYODIDE_FOLDER, options.snapshot]
    const given: SandboxArguments = { ...options, pyodide: PYODIDE_FOLDER }
    this.#events = events
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject }
    })
    this.ready.catch(() => {}) // `ended` tells it too
    this.#process = spawn(process.execPath, [...sandboxFlags(files), ENTRY, JSON.stringify(given)], {
      cwd: dirname(ENTRY),
      env: sandboxEnvironment(process.env),
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    })
    this.#listen()
  }

  /** undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  send(kind: number, id: number, text: string): void {
    this.#process.stdin?.write(frameOf(kind, id, text))
  }

  /** Whatever it does. `ended` follows. */
  kill(): void {
    this.#process.kill('SIGKILL')
  }

  #listen(): void {
    const child = this.#process
    const reader = new FrameReader()
    child.stdout?.on('data', (chunk: Uint8Array) => {
      if (this.#hasEnded) return
      try {
        reader.push(chunk, (frame) => this.#take(frame))
      } catch (cause) {
        this.#complaint = messageOf(cause)
        this.kill()
      }
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(0, COMPLAINT_CHARACTERS_MAX)
    })
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.on('error', () => {}) // `close` follows
    child.on('error', (cause) => this.#end(messageOf(cause)))
    // `close` comes after all that it has written, `exit` may come before
    child.on('close', (code, signal) =>
      this.#end(this.#complaint.trim() || `it ended with ${signal ?? `code ${code}`}`),
    )
  }

  #take(frame: Frame): void {
    if (frame.kind === FromSandboxKind.READY) this.#settleReady?.resolve()
    else this.#events.frame(frame)
  }

  #end(reason: string): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#settleReady?.reject(new Error(reason))
    this.#events.ended(reason)
  }
}
