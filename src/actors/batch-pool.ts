/** Short tasks in threads that can be ended at any time, over piscina. */
import { move, Piscina, THREAD_ARGUMENTS, transferableSymbol, valueSymbol } from './piscina-library.js'

export interface BatchPoolOptions {
  /** Kept ready. */
  readonly threads: number
  readonly threadsMax: number
  /** Of the heap of one thread; past it the thread dies alone. */
  readonly heapBytesMax: number
  /** What every thread gets at its start, as `workerData`. */
  readonly setup: object
  /** A thread has posted something to its parent port. */
  readonly onMessage: (message: unknown) => void
  /** A thread died without a task. */
  readonly onError: (error: unknown) => void
}

/** Threads above the usual number end when they have had nothing to do for so long. */
const IDLE_MS = 10_000

export class BatchPool<Task extends object, Result> {
  readonly #pool: Piscina

  /** @param file of `workers/`, by URL */
  constructor(file: URL, options: BatchPoolOptions) {
    this.#pool = new Piscina({
      filename: file.href,
      minThreads: options.threads,
      maxThreads: options.threadsMax,
      idleTimeout: IDLE_MS,
      // a thread without a task sleeps until there is one, and starts on it without a turn of its event loop
      atomics: 'sync',
      execArgv: THREAD_ARGUMENTS,
      workerData: options.setup,
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(options.heapBytesMax / 1_048_576) },
    })
    this.#pool.on('message', options.onMessage)
    this.#pool.on('error', options.onError)
  }

  /**
   * Rejects when the thread dies: with the code ERR_WORKER_OUT_OF_MEMORY where that is why.
   * @param transfer what moves to the thread @param signal ends the thread if it has begun
   */
  run(task: Task, transfer: readonly ArrayBuffer[], signal: AbortSignal): Promise<Result> {
    return this.#pool.run(task, { transferList: [...transfer], signal })
  }

  /** Ends all threads, whatever they do. */
  destroy(): Promise<void> {
    return this.#pool.destroy()
  }
}

/** @param transfer parts of the value, which move instead of being copied @returns what a task returns for `value` */
export function movable<Value extends object>(value: Value, transfer: readonly ArrayBuffer[]): Value {
  return move({ [transferableSymbol]: [...transfer], [valueSymbol]: value } as never) as unknown as Value
}
