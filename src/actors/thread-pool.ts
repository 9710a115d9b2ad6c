/** Long-lived tasks, one a thread, over piscina. */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { messageOf } from '../base/errors.js'
import type { Logger, LogRecord } from '../base/log.js'
import { connect, type Remote } from '../base/rpc.js'
import type { AuditEntry } from '../contracts/audit.js'
import { type Piscina, piscinaLibrary, THREAD_ARGUMENTS } from './piscina-library.js'

/** A thread that runs, and how to talk to it. */
export interface RunningThread<Api extends object> {
  readonly api: Remote<Api>
  /** Resolves when the thread has ended by itself, rejects when it died. */
  readonly ended: Promise<void>
  /**
   * Resolves when nobody answers calls any more. A thread that dies within native code may never be known to have ended,
   * but its channels are closed before it cleans up.
   */
  readonly closed: Promise<void>
  /** Asks it to end. */
  end(): void
}

/** What each task gets besides its own: its ends of the channels. */
export interface TaskPorts {
  readonly control: MessagePort
  readonly log: MessagePort
  readonly audit: MessagePort
}

export class ThreadPool<Api extends object> {
  /** The last one takes new threads; the others have some that run. */
  readonly #pools: Piscina[] = []
  /** Called for threads of which nothing has been heard yet, if one cannot even load its modules. */
  readonly #unheard = new Set<(cause: unknown) => void>()
  #isEnding = false

  /**
   * @param file of `workers/`, by URL
   * @param threads exactly as many tasks will run
   * @param onAudit takes what the threads have to say for the audit trail
   */
  constructor(
    readonly file: URL,
    readonly threads: number,
    readonly log: Logger,
    readonly onAudit: (entries: readonly AuditEntry[]) => void = () => {},
  ) {
    this.#open(threads)
  }

  /** @param ready threads that start at once; the others start with their tasks */
  #open(ready: number): void {
    const { threads } = this
    const { Piscina } = piscinaLibrary()
    const pool = new Piscina({
      filename: this.file.href,
      minThreads: ready,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      // the default would stop the event loop of a thread between tasks; ours have sockets and timers of their own
      atomics: 'disabled',
      // loaders that the main thread runs under are not for these threads, and make them slow to start
      execArgv: THREAD_ARGUMENTS,
    })
    pool.on('error', (error: unknown) => {
      this.log.area('supervisor').debug('a thread died', { reason: messageOf(error) })
      this.#replace(pool, error)
    })
    // one that was ended while it loads its modules is no error to piscina
    pool.on('workerDestroy', () => {
      setImmediate(() => {
        if (pool.queueSize === 0 || pool.threads.length === threads) return
        this.#replace(pool, new Error('the thread was ended while it was starting'))
      })
    })
    this.#pools.push(pool)
  }

  /** Piscina starts no thread any more after one that could not load its modules, and lets tasks wait for ever. */
  #replace(pool: Piscina, cause: unknown): void {
    if (this.#isEnding || pool !== this.#pools.at(-1)) return
    this.#open(0)
    for (const fail of this.#unheard) fail(cause)
    this.#unheard.clear()
  }

  /** @param transfer what of the task moves to the thread, besides its ports */
  run(task: (ports: TaskPorts) => object, transfer: readonly MessagePort[] = []): RunningThread<Api> {
    const control = new MessageChannel()
    const logging = new MessageChannel()
    const auditing = new MessageChannel()
    const closeLogging = receiveAll(logging.port1, ({ level, area, message, fields }: LogRecord) => {
      this.log.area(area)[level](message, fields)
    })
    const closeAuditing = receiveAll(auditing.port1, this.onAudit)
    const ports = [control.port2, logging.port2, auditing.port2, ...transfer]
    const closed = new Promise<void>((resolve) => control.port1.once('close', resolve))
    const ends: TaskPorts = { control: control.port2, log: logging.port2, audit: auditing.port2 }
    const unheard = new Promise<never>((_, reject) => {
      this.#unheard.add(reject)
      control.port1.once('message', () => this.#unheard.delete(reject))
    })
    const [pool] = this.#pools.slice(-1)
    const ended = Promise.race([pool.run(task(ends), { transferList: ports }) as Promise<void>, unheard])
    const close = (): void => {
      control.port1.close()
      closeLogging()
      closeAuditing()
    }
    const gone = ended.then(
      () => {
        close()
        throw new Error('the thread has ended')
      },
      (cause: unknown) => {
        close()
        throw cause
      },
    )
    gone.catch(() => {}) // callers see it through their calls, the supervisor through `ended`
    return { api: connect<Api>(control.port1, gone), ended, closed, end: () => control.port1.close() }
  }

  /** Ends all threads, whatever they do. */
  async destroy(): Promise<void> {
    this.#isEnding = true
    await Promise.all(this.#pools.map((pool) => pool.destroy()))
  }
}

/** @returns closes the port, and gives what has arrived until then: the last words of a thread that has ended */
function receiveAll<Message>(port: MessagePort, take: (message: Message) => void): () => void {
  port.on('message', take)
  return () => {
    for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port)) {
      take(last.message as Message)
    }
    port.close()
  }
}
