/** Starts the threads of a broker, and starts those anew that die. The broker goes on meanwhile. */
import { BrokerError, messageOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import type { BrokerConfig } from '../config/schema.js'
import {
  type ConnectionApi,
  type ConnectionTask,
  ELSEWHERE,
  type RestoredCounts,
  type ShardApi,
  type ShardTask,
  type StorageApi,
  type StorageTask,
  type ThreadApi,
} from '../contracts/threads.js'
import { type RunningThread, type TaskPorts, ThreadPool } from './thread-pool.js'
import { Wiring } from './wiring.js'

/** A thread that dies more often than this in that time will not get better by itself. */
const RESTARTS_MAX = 5
const RESTARTS_MS = 60_000
/** Time for the storage thread to come out of a transaction: more than a slow disk takes. */
const GATE_MS = 10_000

export interface SupervisorOptions {
  readonly config: BrokerConfig
  readonly shards: number
  readonly connections: number
  readonly clock: SharedArrayBuffer
  readonly log: Logger
  /** A shard was started anew, and the others know. */
  readonly onShardRestart?: () => void
  readonly workers: { readonly shard: URL; readonly connection: URL; readonly storage: URL }
}

type Kind = 'shard' | 'connection' | 'storage'

export class Supervisor {
  readonly wiring: Wiring
  /** Resolves when the broker cannot go on. */
  readonly failed: Promise<BrokerError>
  readonly #shardPool: ThreadPool<ShardApi>
  readonly #connectionPool: ThreadPool<ConnectionApi>
  readonly #storagePool: ThreadPool<StorageApi> | undefined
  #storage: RunningThread<StorageApi> | undefined
  #quarantine: string | undefined
  readonly #shards: RunningThread<ShardApi>[] = []
  readonly #connections: RunningThread<ConnectionApi>[] = []
  readonly #deaths = new Map<string, number[]>()
  readonly #log: Logger
  #ports: readonly number[] = []
  /** Threads whose ends are meant. */
  readonly #replaced = new WeakSet<object>()
  /** Restarts happen one after the other, in the order of the deaths. */
  #restarting: Promise<void> = Promise.resolve()
  #isStopping = false
  #fail: (error: BrokerError) => void = () => {}

  constructor(readonly options: SupervisorOptions) {
    const { config, shards, connections, log, workers } = options
    this.#log = log.area('supervisor')
    this.wiring = new Wiring(connections, shards, config.threads.ringBytes)
    this.#shardPool = new ThreadPool(workers.shard, shards, log)
    this.#connectionPool = new ThreadPool(workers.connection, connections, log)
    this.#storagePool = isStored(config) ? new ThreadPool(workers.storage, 1, log) : undefined
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
  }

  /** @returns the ports taken, per listener of the configuration */
  async start(): Promise<readonly number[]> {
    await this.#startStorage()
    for (let index = 0; index < this.options.shards; index++) this.#startShard(index)
    for (let index = 0; index < this.options.connections; index++) this.#startConnection(index)
    await this.#awaitShards(this.#shards)
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

  /** Where a damaged store was moved to, and why; undefined if none was. */
  get quarantine(): string | undefined {
    return this.#quarantine
  }

  /** undefined where nothing is kept on disk. */
  get storage(): RunningThread<StorageApi> | undefined {
    return this.#storage
  }

  get threads(): readonly RunningThread<ThreadApi>[] {
    const storage = this.#storage === undefined ? [] : [this.#storage]
    return [...this.#connections, ...this.#shards, ...storage] as unknown as RunningThread<ThreadApi>[]
  }

  /** No thread is started anew from now on. */
  expectEnd(): void {
    this.#isStopping = true
  }

  async destroy(): Promise<void> {
    this.#isStopping = true
    // a thread that is ended within a transaction never ends
    if (this.#storage !== undefined && !this.wiring.gate.shut(GATE_MS)) this.#log.error('the disk does not answer')
    await Promise.all([this.#shardPool.destroy(), this.#connectionPool.destroy(), this.#storagePool?.destroy()])
  }

  /** A file can be listened on once: Unix sockets stay with the first thread. */
  #portsOfOthers(): number[] {
    const { listeners } = this.options.config
    return this.#ports.map((port, place) => (listeners[place].type === 'unix' ? ELSEWHERE : port))
  }

  async #startStorage(): Promise<void> {
    const { wiring } = this
    const { config, clock } = this.options
    if (this.#storagePool === undefined) return
    const thread = this.#storagePool.run(
      (ports: TaskPorts): StorageTask => ({
        ...ports,
        ...wiring.storage,
        index: 0,
        config,
        clock,
        totals: wiring.totals,
        gate: wiring.gate.shared,
        shards: wiring.stores,
        shardDoorbells: wiring.shards.map(({ doorbell }) => doorbell),
      }),
    )
    this.#storage = thread
    const { quarantined } = await thread.api.open()
    this.#watch('storage', 0, thread, () => this.#restartShards())
    if (quarantined === undefined) return
    const { path, reason } = quarantined
    this.#quarantine = `${path}: ${reason}`
  }

  /** Waits for the sessions of all shards, and says what came back; their messages follow while the broker works. */
  async #awaitShards(shards: readonly RunningThread<ShardApi>[]): Promise<void> {
    const startedMs = performance.now()
    const counts: RestoredCounts[] = []
    await tellAll(shards, async ({ api }) => counts.push(await api.ready()))
    if (counts.length === 0) return
    const sum = (of: (count: RestoredCounts) => number): number => counts.reduce((total, count) => total + of(count), 0)
    const [sessions, messages] = [sum(({ sessions }) => sessions), counts[0].messages]
    const damaged = sum(({ damaged }) => damaged)
    if (damaged > 0) this.#log.error('entries of the store could not be read and are given up', { entries: damaged })
    if (sessions > 0 || messages > 0) {
      const { retained } = counts[0]
      const ms = Math.round(performance.now() - startedMs)
      this.#log.info('read from the store; messages follow while the broker works', {
        sessions,
        messages,
        retained,
        ms,
      })
    }
    this.#awaitMessages(shards, messages, startedMs).catch((cause: unknown) => {
      // a shard that dies while it reads is started anew, and reads again
      this.#log.debug('reading the store was interrupted', { reason: messageOf(cause) })
    })
  }

  async #awaitMessages(shards: readonly RunningThread<ShardApi>[], messages: number, startedMs: number): Promise<void> {
    const damaged = await Promise.all(shards.map(({ api }) => api.loaded()))
    const lost = damaged.reduce((total, count) => total + count, 0)
    if (lost > 0) this.#log.error('messages of the store could not be read and are given up', { messages: lost })
    await this.#storage?.api.confirm()
    if (messages === 0) return
    const ms = Math.round(performance.now() - startedMs)
    this.#log.info('all messages are read from the store', { messages, ms })
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
        storage:
          this.#storage === undefined ? undefined : { ...wiring.storeOf(index), doorbell: wiring.storage.doorbell },
      }),
    )
    this.#shards[index] = thread
    this.#watch('shard', index, thread, () => {
      return this.#storage === undefined ? this.#restartShard(index) : this.#restartShards()
    })
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
      if (this.#isStopping || this.#replaced.has(thread)) return
      const lost = new BrokerError('THREAD_LOST', { kind, index, reason })
      this.#log.error(lost.message, { kind, index })
      if (!this.#mayRestart(kind, index)) return
      this.#restarting = this.#restarting
        .then(async () => {
          // another restart may have replaced it meanwhile
          if (!this.#isStopping && !this.#replaced.has(thread)) await restart()
        })
        .catch((cause: unknown) => {
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

  /**
   * With a store, all shards begin anew with what is on disk when one of them or the storage thread dies, as after the
   * death of the process: what they knew of one another's messages is not to be told from what was lost.
   */
  async #restartShards(): Promise<void> {
    const old = [...this.#shards]
    for (const shard of old) {
      this.#replaced.add(shard)
      shard.end()
    }
    await Promise.allSettled(old.map(({ ended }) => ended))
    this.wiring.renewShards()
    if (this.#storage !== undefined && (await hasEnded(this.#storage))) {
      // what it has locked in the middle of a transaction stays locked for as long as this process lives
      if (!this.wiring.gate.shut(GATE_MS)) throw new Error('it was lost in the middle of a transaction')
      this.#replaced.add(this.#storage)
      this.wiring.renewStorage()
      await this.#startStorage()
    } else await this.#storage?.api.replaceShards(this.wiring.stores.map(({ ring }) => ring))
    for (const index of old.keys()) this.#startShard(index)
    await this.#awaitShards(this.#shards)
    this.#log.warn('all shards are started anew; sessions that outlive their connection are back from the store')
    for (const index of old.keys()) await this.#connectShard(index)
    this.options.onShardRestart?.()
  }

  async #restartShard(index: number): Promise<void> {
    this.wiring.renewShard(index)
    this.#startShard(index)
    this.#log.warn('shard started anew; the sessions it held are lost, because there is no store', { index })
    await this.#introduceShard(index)
    await this.#connectShard(index)
    this.options.onShardRestart?.()
  }

  /** Tells the other shards of one that was started anew. */
  async #introduceShard(index: number): Promise<void> {
    const into = this.wiring.peersInto(index)
    const outOf = this.wiring.peersOutOf(index)
    // before any client is back: what it publishes must reach those who are connected to other shards
    await tellAll(this.#shards, async ({ api }, other) => {
      const [incoming, outgoing] = [outOf[other], into[other]]
      if (incoming !== undefined && outgoing !== undefined) await api.replacePeer(index, incoming, outgoing)
    })
  }

  /** Tells the connection threads, which close the network connections of its sessions. */
  async #connectShard(index: number): Promise<void> {
    const pairs = this.wiring.pairsOfShard(index)
    await tellAll(this.#connections, ({ api }, thread) => api.replaceShard(index, pairs[thread]))
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

/** Whether anything is kept on disk. */
export function isStored(config: BrokerConfig): boolean {
  const { level, topics } = config.durability
  return level !== 'off' || topics.some((rule) => rule.level !== 'off')
}

function hasEnded({ ended }: { readonly ended: Promise<void> }): Promise<boolean> {
  const known = ended.then(
    () => true,
    () => true,
  )
  return Promise.race([known, new Promise<boolean>((resolve) => setImmediate(resolve, false))])
}
