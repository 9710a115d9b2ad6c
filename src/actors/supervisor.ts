/** Starts the threads of a broker, and starts those anew that die. The broker goes on meanwhile. */
import { BrokerError, messageOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import type { BrokerConfig } from '../config/schema.js'
import {
  type ConnectionApi,
  type ConnectionTask,
  ELSEWHERE,
  type ShardApi,
  type ShardTask,
  type ThreadApi,
} from '../contracts/threads.js'
import { type RunningThread, type TaskPorts, ThreadPool } from './thread-pool.js'
import { Wiring } from './wiring.js'

/** A thread that dies more often than this in that time will not get better by itself. */
const RESTARTS_MAX = 5
const RESTARTS_MS = 60_000

export interface SupervisorOptions {
  readonly config: BrokerConfig
  readonly shards: number
  readonly connections: number
  readonly clock: SharedArrayBuffer
  readonly log: Logger
  /** A shard was started anew, and the others know. */
  readonly onShardRestart?: () => void
  readonly workers: { readonly shard: URL; readonly connection: URL }
}

type Kind = 'shard' | 'connection'

export class Supervisor {
  readonly wiring: Wiring
  /** Resolves when the broker cannot go on. */
  readonly failed: Promise<BrokerError>
  readonly #shardPool: ThreadPool<ShardApi>
  readonly #connectionPool: ThreadPool<ConnectionApi>
  readonly #shards: RunningThread<ShardApi>[] = []
  readonly #connections: RunningThread<ConnectionApi>[] = []
  readonly #deaths = new Map<string, number[]>()
  readonly #log: Logger
  #ports: readonly number[] = []
  #isStopping = false
  #fail: (error: BrokerError) => void = () => {}

  constructor(readonly options: SupervisorOptions) {
    const { config, shards, connections, log, workers } = options
    this.#log = log.area('supervisor')
    this.wiring = new Wiring(connections, shards, config.threads.ringBytes)
    this.#shardPool = new ThreadPool(workers.shard, shards, log)
    this.#connectionPool = new ThreadPool(workers.connection, connections, log)
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
  }

  /** @returns the ports taken, per listener of the configuration */
  async start(): Promise<readonly number[]> {
    for (let index = 0; index < this.options.shards; index++) this.#startShard(index)
    for (let index = 0; index < this.options.connections; index++) this.#startConnection(index)
    const { listeners } = this.options.config
    this.#ports = await this.#connections[0].api.listen(listeners.map(({ port }) => port))
    for (const thread of this.#connections.slice(1)) await thread.api.listen(this.#portsOfOthers())
    return this.#ports
  }

  get shards(): readonly RunningThread<ShardApi>[] {
    return this.#shards
  }

  get connections(): readonly RunningThread<ConnectionApi>[] {
    return this.#connections
  }

  get threads(): readonly RunningThread<ThreadApi>[] {
    return [...this.#connections, ...this.#shards] as unknown as RunningThread<ThreadApi>[]
  }

  /** No thread is started anew from now on. */
  expectEnd(): void {
    this.#isStopping = true
  }

  async destroy(): Promise<void> {
    this.#isStopping = true
    await Promise.all([this.#shardPool.destroy(), this.#connectionPool.destroy()])
  }

  /** A file can be listened on once: Unix sockets stay with the first thread. */
  #portsOfOthers(): number[] {
    const { listeners } = this.options.config
    return this.#ports.map((port, place) => (listeners[place].type === 'unix' ? ELSEWHERE : port))
  }

  #startShard(index: number): void {
    const { wiring } = this
    const { config, clock } = this.options
    const thread = this.#shardPool.run(
      (ports: TaskPorts): ShardTask => ({
        ...ports,
        ...wiring.shards[index],
        index,
        config,
        clock,
        connections: wiring.pairsOfShard(index),
        connectionDoorbells: wiring.connections.map(({ doorbell }) => doorbell),
        peersIn: wiring.peersInto(index),
        peersOut: wiring.peersOutOf(index),
        totals: wiring.totals,
        shardDoorbells: wiring.shards.map(({ doorbell }) => doorbell),
      }),
    )
    this.#shards[index] = thread
    this.#watch('shard', index, thread, () => this.#restartShard(index))
  }

  #startConnection(index: number): void {
    const { wiring } = this
    const { config, clock, connections } = this.options
    const thread = this.#connectionPool.run(
      (ports: TaskPorts): ConnectionTask => ({
        ...ports,
        ...wiring.connections[index],
        index,
        config,
        clock,
        shards: wiring.pairsOfConnection(index),
        shardDoorbells: wiring.shards.map(({ doorbell }) => doorbell),
        totals: wiring.totals,
        sharesPorts: connections > 1,
      }),
    )
    this.#connections[index] = thread
    this.#watch('connection', index, thread, () => this.#restartConnection(index))
  }

  #watch(kind: Kind, index: number, thread: { readonly ended: Promise<void> }, restart: () => Promise<void>): void {
    const died = (reason: string): void => {
      if (this.#isStopping) return
      const lost = new BrokerError('THREAD_LOST', { kind, index, reason })
      this.#log.error(lost.message, { kind, index })
      if (!this.#mayRestart(kind, index)) return
      restart().catch((cause: unknown) => {
        this.#fail(new BrokerError('THREAD_LOST', { kind, index, reason: messageOf(cause) }, { cause }))
      })
    }
    thread.ended.then(
      () => died('its task ended'),
      (cause: unknown) => died(messageOf(cause)),
    )
  }

  #mayRestart(kind: Kind, index: number): boolean {
    const nowMs = Date.now()
    const deaths = (this.#deaths.get(`${kind} ${index}`) ?? []).filter((ms) => nowMs - ms < RESTARTS_MS)
    deaths.push(nowMs)
    this.#deaths.set(`${kind} ${index}`, deaths)
    if (deaths.length <= RESTARTS_MAX) return true
    const seconds = RESTARTS_MS / 1_000
    this.#fail(new BrokerError('THREAD_UNRELIABLE', { kind, index, times: deaths.length, seconds }))
    return false
  }

  async #restartShard(index: number): Promise<void> {
    this.wiring.renewShard(index)
    this.#startShard(index)
    this.#log.warn('shard started anew; the sessions it held are lost, because there is no store', { index })
    const into = this.wiring.peersInto(index)
    const outOf = this.wiring.peersOutOf(index)
    // before any client is back: what it publishes must reach those who are connected to other shards
    await tellAll(this.#shards, async ({ api }, other) => {
      const [incoming, outgoing] = [outOf[other], into[other]]
      if (incoming !== undefined && outgoing !== undefined) await api.replacePeer(index, incoming, outgoing)
    })
    const pairs = this.wiring.pairsOfShard(index)
    await tellAll(this.#connections, ({ api }, thread) => api.replaceShard(index, pairs[thread]))
    this.options.onShardRestart?.()
  }

  async #restartConnection(index: number): Promise<void> {
    this.wiring.renewConnection(index)
    this.#startConnection(index)
    this.#log.warn('connection thread started anew; its network connections are lost', { index })
    const pairs = this.wiring.pairsOfConnection(index)
    await tellAll(this.#shards, ({ api }, shard) => api.replaceConnectionThread(index, pairs[shard]))
    const ports = index === 0 ? this.#ports : this.#portsOfOthers()
    await tellAll([this.#connections[index]], ({ api }) => api.listen(ports))
  }
}

/** Calls threads side by side. One that dies meanwhile is not missed: it is started anew with what it would be told. */
async function tellAll<Api extends object>(
  threads: readonly RunningThread<Api>[],
  call: (thread: RunningThread<Api>, index: number) => Promise<unknown>,
): Promise<void> {
  const calls = threads.map(async (thread, index) => {
    try {
      await call(thread, index)
    } catch (cause) {
      if (!(await hasEnded(thread))) throw cause
    }
  })
  await Promise.all(calls)
}

function hasEnded({ ended }: { readonly ended: Promise<void> }): Promise<boolean> {
  const known = ended.then(
    () => true,
    () => true,
  )
  return Promise.race([known, new Promise<boolean>((resolve) => setImmediate(resolve, false))])
}
