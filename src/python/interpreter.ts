/** Python in this process, over pyodide (the only importer): started from a memory snapshot, with its memory capped. */
import { constants } from 'node:fs'
import { loadPyodide } from 'pyodide'
import { GUARD_CONFIGURATION, JAVASCRIPT_MODULES } from './allowed-modules.js'
import { GUARD_SOURCE } from './guard-source.js'

const PAGE_BYTES = 65_536
/** Of SIGINT, as pyodide's interrupt buffer wants it. */
const INTERRUPT = 2
const NO_INTERRUPT = 0
/** Between one interrupt and the next, so that what handles the first can do its work. */
const REPEAT_MS = 100

export interface InterpreterOptions {
  /** Folder of pyodide's files, with a separator at its end. */
  readonly pyodide: string
  /** What another start made; undefined starts from nothing, which takes seconds. */
  readonly snapshot: Uint8Array | undefined
  /** Bytes of memory for all objects of Python. */
  readonly memoryBytesMax: number
  readonly callMsMax: number
  readonly extraModules: readonly string[]
}

/** Answers are text as guard-source.ts makes it. */
type GuardFunction = (...texts: readonly string[]) => string

/** What pyodide has and its types do not tell. */
interface SnapshotOptions {
  readonly _makeSnapshot?: boolean
  readonly _loadSnapshot?: Uint8Array
}

export class Interpreter {
  readonly #deadline: Deadline
  readonly #call: GuardFunction
  readonly #add: GuardFunction
  readonly #remove: GuardFunction
  readonly #install: GuardFunction
  readonly #uninstall: GuardFunction

  private constructor(
    readonly callMsMax: number,
    guard: (name: string) => GuardFunction,
    deadline: Deadline,
  ) {
    this.#deadline = deadline
    this.#call = guard('call')
    this.#add = guard('add')
    this.#remove = guard('remove')
    this.#install = guard('install')
    this.#uninstall = guard('uninstall')
  }

  /** @param keep is given the memory as it is before any script, if there was no snapshot */
  static async start(options: InterpreterOptions, keep: (snapshot: Uint8Array) => void): Promise<Interpreter> {
    capMemory(options.memoryBytesMax)
    standInForBinding()
    const fresh = options.snapshot === undefined
    const snapshotOptions: SnapshotOptions = fresh ? { _makeSnapshot: true } : { _loadSnapshot: options.snapshot }
    const python = await loadPyodide({
      indexURL: options.pyodide,
      // the module `js` of Python is this object: nothing
      jsglobals: Object.create(null),
      stdin: () => null as never,
      stdout: () => {},
      stderr: () => {},
      env: { HOME: '/', PYTHONDONTWRITEBYTECODE: '1' },
      ...snapshotOptions,
    })
    if (fresh) {
      python.runPython(GUARD_SOURCE)
      guardFunction(python, 'configure')(JSON.stringify(GUARD_CONFIGURATION))
      keep(python.makeMemorySnapshot())
    }
    guardFunction(python, 'begin')(JSON.stringify({ extra: options.extraModules, callMs: options.callMsMax }))
    forget(python)
    const deadline = new Deadline()
    python.setInterruptBuffer(deadline.buffer)
    return new Interpreter(options.callMsMax, (name) => guardFunction(python, name), deadline)
  }

  call(target: string, parameters: string): string {
    return this.#within(() => this.#call(target, parameters))
  }

  /** @param isKept whether the one of before goes, too, if it is refused */
  add(name: string, source: string, isKept: boolean): string {
    return this.#within(() => this.#add(name, source, isKept ? 'kept' : ''))
  }

  remove(name: string): string {
    return this.#remove(name)
  }

  /** @param text JSON of `PythonPackage` */
  install(text: string): string {
    return this.#within(() => this.#install(text))
  }

  uninstall(name: string): string {
    return this.#uninstall(name)
  }

  /** @throws unknown if the interpreter is broken and must not be used again */
  #within(work: () => string): string {
    this.#deadline.set(this.callMsMax)
    try {
      return work()
    } catch (thrown) {
      // it came when the script had already ended, and hit the guard instead
      if (this.#deadline.isOver && isInterrupt(thrown)) return `-0\nTime limit of ${this.callMsMax} ms exceeded`
      throw thrown
    } finally {
      this.#deadline.clear()
    }
  }
}

type Python = Awaited<ReturnType<typeof loadPyodide>>

function guardFunction(python: Python, name: string): GuardFunction {
  return python.globals.get(name) as GuardFunction
}

/** Takes the modules that lead to JavaScript out of Python's reach. */
function forget(python: Python): void {
  python.runPython(`
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if not hasattr(finder, 'jsproxies')]
for _name in [name for name in sys.modules if name.partition('.')[0] in ${JSON.stringify(JAVASCRIPT_MODULES)}]:
    del sys.modules[_name]
del _name
`)
}

function isInterrupt(thrown: unknown): boolean {
  return thrown instanceof Error && 'type' in thrown && thrown.type === 'KeyboardInterrupt'
}

/** pyodide asks Node for the numbers of its file flags in a way that the permission model refuses. */
function standInForBinding(): void {
  Object.defineProperty(process, 'binding', { value: () => ({ fs: constants }), configurable: true })
}

/** WebAssembly asks JavaScript for more memory; past the limit it is told that there is none, and Python that too. */
function capMemory(bytesMax: number): void {
  const { prototype } = (globalThis as unknown as WithWebAssembly).WebAssembly.Memory
  const { grow } = prototype
  prototype.grow = function (pages) {
    if (this.buffer.byteLength + pages * PAGE_BYTES > bytesMax) throw new RangeError('the memory limit is reached')
    return grow.call(this, pages)
  }
}

/** What the types of Node leave out. */
interface WithWebAssembly {
  readonly WebAssembly: { readonly Memory: { readonly prototype: WebAssemblyMemory } }
}

interface WebAssemblyMemory {
  readonly buffer: ArrayBuffer
  /** @returns pages before @throws RangeError */
  grow(pages: number): number
}

/**
 * Stands for pyodide's interrupt buffer. Python looks into it every few instructions; here it then looks at the clock, so
 * that a script is interrupted without a second thread, which this process may not start.
 */
class Deadline {
  #atMs = Number.POSITIVE_INFINITY
  #isOver = false

  get buffer(): Uint8Array {
    const deadline = this
    const buffer = {
      get 0(): number {
        return deadline.isDue() ? INTERRUPT : NO_INTERRUPT
      },
      set 0(_taken: number) {},
    }
    return buffer as unknown as Uint8Array
  }

  /** Whether to interrupt now: at the deadline, and again and again if the script goes on. */
  isDue(): boolean {
    if (performance.now() <= this.#atMs) return false
    this.#isOver = true
    this.#atMs = performance.now() + REPEAT_MS
    return true
  }

  /** Whether there was an interrupt since `set`. */
  get isOver(): boolean {
    return this.#isOver
  }

  set(ms: number): void {
    this.#isOver = false
    this.#atMs = performance.now() + ms
  }

  clear(): void {
    this.#atMs = Number.POSITIVE_INFINITY
  }
}
