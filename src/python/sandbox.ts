/**
 * Python for all scripts: one process (a second one would cost another 200 MB), started again when it ends, with the
 * scripts that it had. It takes one request after the other; the one that it was at when it ended fails, the ones behind
 * it are asked again.
 */
import { messageOf } from '../base/errors.js'
import { type Frame, FromSandboxKind, ToSandboxKind, textOf } from './frames.js'
import type { PackageChange, PythonPackage, ReloadedScript } from './python-package.js'
import { SandboxChild } from './sandbox-child.js'
import { SnapshotFile } from './snapshot-file.js'

export interface SandboxOptions {
  /** For the memory snapshot. */
  readonly folder: string
  readonly memoryBytesMax: number
  readonly callMsMax: number
  readonly extraModules: readonly string[]
  /** What a script printed during one call. */
  printed(script: string, text: string): void
  warn(message: string, reason: string): void
}

/** What became of a script that was to be loaded. */
export type Loading =
  | { readonly kind: 'loaded'; readonly functions: readonly string[] }
  /** `line` and `column` count from 1; 0 where there is none. */
  | { readonly kind: 'refused'; readonly message: string; readonly line: number; readonly column: number }

/** @param failed whether `text` is an error for the user instead of a result */
export type Settle = (failed: boolean, text: string) => void

interface Request {
  readonly kind: number
  readonly text: string
  readonly settle: Settle
  /** It brings back a script after a new start. */
  readonly isReload: boolean
}

/** Of the process without Python's objects; what is left of the limit is theirs. */
const PROCESS_BYTES = 160 * 1024 * 1024
const PYTHON_BYTES_MIN = 64 * 1024 * 1024
/** After the limit of a call, for the interrupt to work. */
const KILL_MARGIN_MS = 1_000
const START_MS_MAX = 60_000
/** Before another attempt after one that did not get as far as taking requests. */
const RETRY_MS = 2_000
const REQUESTS_MAX = 10_000
const REQUEST_CHARACTERS_MAX = 16 * 1024 * 1024
const UNREADABLE = 'Python gave an answer that cannot be read'

export class Sandbox {
  readonly #snapshot: SnapshotFile
  /** Text of all scripts, by name, in order of deployment. */
  readonly #scripts = new Map<string, string>()
  /** What the process was told of each package, by name. */
  readonly #packages = new Map<string, string>()
  /** Oldest first: the process is at the first one, if it is up. */
  readonly #requests = new Map<number, Request>()
  #child: SandboxChild | undefined
  #isUp = false
  #isStopped = false
  #lastId = 0
  /** When the process turned to the oldest request. */
  #turnedAtMs = 0
  #watch: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined
  #killedFor: string | undefined

  constructor(readonly options: SandboxOptions) {
    this.#snapshot = new SnapshotFile(options.folder)
  }

  /** undefined while there is no process. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /**
   * Loads a script, in place of the one with that name. Never rejects.
   * @param isKept If it is refused: false leaves the one of before; true takes it away, tells calls why, and loads this one
   *   again when packages change.
   */
  add(name: string, source: string, isKept = false): Promise<Loading> {
    return new Promise((resolve) => {
      this.#ask(ToSandboxKind.ADD, JSON.stringify([name, source, isKept]), (failed, text) => {
        const loading = failed ? refusal(text) : readLoading(text)
        if (loading.kind === 'loaded' || (isKept && !failed)) this.#scripts.set(name, source)
        else if (isKept) this.#scripts.delete(name) // Python did not survive it
        resolve(loading)
      })
    })
  }

  remove(name: string): void {
    this.#scripts.delete(name)
    if (this.#child !== undefined) this.#ask(ToSandboxKind.REMOVE, name, () => {})
  }

  /** In place of the package of that name; then the scripts that use it are loaded again. Never rejects. */
  install(made: PythonPackage): Promise<PackageChange> {
    const text = JSON.stringify(made)
    return this.#changePackages(ToSandboxKind.INSTALL, text, () => this.#packages.set(made.name, text))
  }

  /** The scripts that use it are loaded again, and fail unless they can do without. Never rejects. */
  uninstall(name: string): Promise<PackageChange> {
    this.#packages.delete(name)
    if (this.#child === undefined && this.#scripts.size === 0) return Promise.resolve({ kind: 'done', reloaded: [] })
    return this.#changePackages(ToSandboxKind.UNINSTALL, name, () => {})
  }

  async #changePackages(kind: number, text: string, keep: () => void): Promise<PackageChange> {
    const answer = await new Promise<{ failed: boolean; text: string }>((resolve) => {
      this.#ask(kind, text, (failed, text) => resolve({ failed, text }))
    })
    if (answer.failed) return { kind: 'refused', message: answer.text }
    const users = readUsers(answer.text)
    if (users === undefined) return { kind: 'refused', message: UNREADABLE }
    keep()
    const reloads: Promise<ReloadedScript>[] = []
    for (const script of users) {
      const source = this.#scripts.get(script)
      if (source === undefined) continue
      const loading = this.add(script, source, true)
      reloads.push(loading.then((done) => ({ script, failure: done.kind === 'refused' ? done.message : undefined })))
    }
    return { kind: 'done', reloaded: await Promise.all(reloads) }
  }

  /** @param target `Script.function` @param parameters JSON array */
  call(target: string, parameters: string, settle: Settle): void {
    this.#ask(ToSandboxKind.CALL, `${target}\n${parameters}`, settle)
  }

  /** Ends the process; requests fail. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#retry)
    clearTimeout(this.#watch)
    this.#child?.kill()
    this.#failAll('Python is not running: the broker is shutting down')
  }

  #ask(kind: number, text: string, settle: Settle): void {
    if (this.#isStopped) {
      settle(true, 'Python is not running: the broker is shutting down')
      return
    }
    if (this.#requests.size >= REQUESTS_MAX) {
      settle(true, `${REQUESTS_MAX} calls of Python are waiting already`)
      return
    }
    if (text.length > REQUEST_CHARACTERS_MAX) {
      settle(true, `the arguments have more than ${REQUEST_CHARACTERS_MAX} characters`)
      return
    }
    const id = this.#nextId()
    this.#requests.set(id, { kind, text, settle, isReload: false })
    if (this.#isUp) {
      this.#child?.send(kind, id, text)
      if (this.#requests.size === 1) this.#turn()
    } else if (this.#child === undefined && this.#retry === undefined) {
      this.#start()
    }
  }

  #nextId(): number {
    this.#lastId = (this.#lastId + 1) >>> 0 || 1
    return this.#lastId
  }

  // ---------- life of the process ----------

  #start(): void {
    const { memoryBytesMax, callMsMax, extraModules } = this.options
    const fromSnapshot = this.#snapshot.exists
    const child = new SandboxChild(
      {
        snapshot: fromSnapshot ? this.#snapshot.path : undefined,
        memoryBytesMax: Math.max(PYTHON_BYTES_MIN, memoryBytesMax - PROCESS_BYTES),
        callMsMax,
        extraModules,
      },
      {
        frame: (frame) => this.#receive(frame),
        ended: (reason) => this.#ended(reason, fromSnapshot),
      },
    )
    this.#child = child
    this.#watch = setTimeout(() => child.kill(), START_MS_MAX)
    child.ready.then(
      () => this.#up(child),
      () => {}, // `ended` does what is to be done
    )
  }

  #up(child: SandboxChild): void {
    clearTimeout(this.#watch)
    this.#watch = undefined
    if (this.#isStopped) return
    this.#isUp = true
    const waiting = [...this.#requests.values()].filter(({ isReload }) => !isReload)
    this.#requests.clear()
    for (const [name, text] of this.#packages) this.#reinstall(name, text)
    for (const [name, source] of this.#scripts) this.#reload(name, source)
    for (const request of waiting) this.#requests.set(this.#nextId(), request)
    for (const [id, { kind, text }] of this.#requests) child.send(kind, id, text)
    if (this.#requests.size > 0) this.#turn()
  }

  #reload(name: string, source: string): void {
    const settle: Settle = (failed, text) => {
      const loading = failed ? refusal(text) : readLoading(text)
      if (failed) this.#scripts.delete(name) // Python did not survive it
      if (loading.kind === 'refused') {
        this.options.warn(`the Python script ${name} cannot be loaded again`, loading.message)
      }
    }
    this.#requests.set(this.#nextId(), {
      kind: ToSandboxKind.ADD,
      text: JSON.stringify([name, source, true]),
      settle,
      isReload: true,
    })
  }

  #reinstall(name: string, text: string): void {
    const settle: Settle = (failed, reason) => {
      if (failed) this.options.warn(`the Python package ${name} cannot be loaded again`, reason)
    }
    this.#requests.set(this.#nextId(), { kind: ToSandboxKind.INSTALL, text, settle, isReload: true })
  }

  #ended(reason: string, fromSnapshot: boolean): void {
    const wasUp = this.#isUp
    this.#child = undefined
    this.#isUp = false
    clearTimeout(this.#watch)
    this.#watch = undefined
    if (this.#isStopped) return
    if (!wasUp) {
      this.#startFailed(reason, fromSnapshot)
      return
    }
    const cause = this.#killedFor
    this.#killedFor = undefined
    if (cause === undefined) this.options.warn('the process that runs Python has ended', reason)
    const oldest = this.#requests.entries().next()
    if (!oldest.done) {
      this.#requests.delete(oldest.value[0])
      oldest.value[1].settle(true, cause ?? 'Python ended during this call; it is started again')
    }
    if (this.#requests.size > 0 || this.#scripts.size > 0) this.#start()
  }

  #startFailed(reason: string, fromSnapshot: boolean): void {
    this.options.warn('Python does not start', reason)
    if (fromSnapshot) {
      // the file may be damaged, or not fit this machine
      this.#snapshot.remove()
      this.#start()
      return
    }
    this.#failAll(`Python does not start: ${essence(reason)}`)
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      if (this.#requests.size > 0 || this.#scripts.size > 0) this.#start()
    }, RETRY_MS)
  }

  #failAll(reason: string): void {
    const failed = [...this.#requests.values()]
    this.#requests.clear()
    for (const { settle } of failed) settle(true, reason)
  }

  // ---------- answers and limits ----------

  #receive(frame: Frame): void {
    switch (frame.kind) {
      case FromSandboxKind.RESULT:
        this.#settle(frame.id, false, textOf(frame))
        return
      case FromSandboxKind.FAILURE:
        this.#settle(frame.id, true, textOf(frame))
        return
      case FromSandboxKind.PRINTED: {
        const text = textOf(frame)
        const nameEnd = text.indexOf('\n')
        this.options.printed(text.slice(0, nameEnd), text.slice(nameEnd + 1))
        return
      }
      case FromSandboxKind.SNAPSHOT:
        this.#keepSnapshot(frame.body)
    }
  }

  #settle(id: number, failed: boolean, text: string): void {
    const request = this.#requests.get(id)
    if (request === undefined) return
    this.#requests.delete(id)
    this.#turnedAtMs = performance.now()
    request.settle(failed, text)
  }

  /** It begins with the oldest request. One timer for all: it looks again when the oldest of then would be due. */
  #turn(): void {
    this.#turnedAtMs = performance.now()
    if (this.#watch === undefined) this.#watchFor(this.options.callMsMax + KILL_MARGIN_MS)
  }

  #watchFor(ms: number): void {
    this.#watch = setTimeout(() => {
      this.#watch = undefined
      if (this.#requests.size === 0 || !this.#isUp) return
      const leftMs = this.#turnedAtMs + this.options.callMsMax + KILL_MARGIN_MS - performance.now()
      if (leftMs > 0) {
        this.#watchFor(leftMs)
        return
      }
      this.#killedFor = `Time limit of ${this.options.callMsMax} ms exceeded; Python is started again`
      this.#child?.kill()
    }, Math.ceil(ms))
  }

  #keepSnapshot(snapshot: Uint8Array): void {
    try {
      this.#snapshot.write(snapshot)
    } catch (cause) {
      this.options.warn('the next start of Python will be slow: its memory cannot be kept', messageOf(cause))
    }
  }
}

/** Of a stack of Python or JavaScript: the line that says what it was. */
function essence(stack: string): string {
  const lines = stack.split('\n')
  const places = lines.findIndex((line) => line.startsWith('    at '))
  const said = places === -1 ? lines : lines.slice(0, places)
  return said.filter((line) => line.trim() !== '').at(-1) ?? 'no reason is known'
}

function refusal(message: string): Loading {
  return { kind: 'refused', message, line: 0, column: 0 }
}

function readLoading(text: string): Loading {
  const read = parsed(text) as Partial<{ functions: string[]; error: string; line: number; column: number }> | null
  if (Array.isArray(read?.functions)) return { kind: 'loaded', functions: read.functions.map(String) }
  if (typeof read?.error !== 'string') return refusal(UNREADABLE)
  return { kind: 'refused', message: read.error, line: Number(read.line), column: Number(read.column) }
}

/** Names of scripts; undefined for what the guard does not say. */
function readUsers(text: string): readonly string[] | undefined {
  const read = parsed(text)
  return Array.isArray(read) ? read.map(String) : undefined
}

/** A package that gets past the guard speaks for it. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
