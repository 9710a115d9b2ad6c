/** Short tasks in threads that can be ended at any time, over piscina. */
import { parentPort } from 'node:worker_threads'
import { type Piscina, piscinaLibrary, THREAD_ARGUMENTS } from './piscina-library.js'

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

/** What a thread says to a task. */
export interface Answer<Result> {
  readonly result: Result
  /** Parts of the result, which move instead of being copied. */
  readonly transfer: readonly ArrayBuffer[]
  /** Whether the thread is unfit for another task: it is ended, and a new one takes its place. */
  readonly isLast: boolean
}

interface Numbered<Task> {
  readonly number: number
  readonly task: Task
}

/** An answer with `isLast`, which goes past piscina: piscina would give the thread another task. */
interface Farewell<Result> {
  readonly number: number
  readonly lastResult: Result
}

interface UnderWay<Result> {
  readonly resolve: (result: Result) => void
  readonly end: AbortController
}

/** Threads above the usual number end when they have had nothing to do for so long. */
const IDLE_MS = 10_000

export class BatchPool<Task extends object, Result> {
  readonly #pool: Piscina
  readonly #underWay = new Map<number, UnderWay<Result>>()
  #lastNumber = 0

  /** @param file of `workers/`, by URL; its default export is what `batchTask` makes */
  constructor(file: URL, options: BatchPoolOptions) {
    const { Piscina } = piscinaLibrary()
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
    this.#pool.on('message', (message: unknown) => {
      if (isFarewell<Result>(message)) this.#release(message)
      else options.onMessage(message)
    })
    this.#pool.on('error', options.onError)
  }

  /**
   * Rejects when the thread dies: with the code ERR_WORKER_OUT_OF_MEMORY where that is why.
   * @param transfer what moves to the thread @param end ends the thread if it has begun
   */
  run(task: Task, transfer: readonly ArrayBuffer[], end: AbortController): Promise<Result> {
    this.#lastNumber++
    const number = this.#lastNumber
    return new Promise((resolve, reject) => {
      this.#underWay.set(number, { resolve, end })
      const numbered: Numbered<Task> = { number, task }
      this.#pool.run(numbered, { transferList: [...transfer], signal: end.signal }).then(
        (result: Result) => {
          this.#underWay.delete(number)
          resolve(result)
        },
        (error: unknown) => {
          this.#underWay.delete(number)
          reject(error)
        },
      )
    })
  }

  /** Ends all threads, whatever they do. */
  destroy(): Promise<void> {
    return this.#pool.destroy()
  }

  #release({ number, lastResult }: Farewell<Result>): void {
    const task = this.#underWay.get(number)
    task?.resolve(lastResult)
    task?.end.abort()
  }
}

/** @returns the default export of a file that a `BatchPool` runs */
export function batchTask<Task, Result extends object>(
  work: (task: Task) => Answer<Result>,
): (numbered: Numbered<Task>) => Result | Promise<never> {
  return ({ number, task }) => {
    const { result, transfer, isLast } = work(task)
    if (!isLast) return movable(result, transfer)
    parentPort?.postMessage({ number, lastResult: result } satisfies Farewell<Result>, [...transfer])
    return new Promise(() => {}) // the thread is being ended
  }
}

function movable<Value extends object>(value: Value, transfer: readonly ArrayBuffer[]): Value {
  const { move, transferableSymbol, valueSymbol } = piscinaLibrary()
  return move({ [transferableSymbol]: [...transfer], [valueSymbol]: value } as never) as unknown as Value
}

function isFarewell<Result>(message: unknown): message is Farewell<Result> {
  return typeof message === 'object' && message !== null && 'lastResult' in message
}
