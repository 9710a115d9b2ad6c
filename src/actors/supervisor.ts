/** Starts the threads of a broker, and starts those anew that die. The broker goes on meanwhile. */
import { MessageChannel } from 'node:worker_threads'
import { BrokerError, messageOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import type { BrokerConfig } from '../config/schema.js'
import type { AuditEntry } from '../contracts/audit.js'
import type { BanReport } from '../contracts/bans.js'
import type { LotApi, LotEvent } from '../contracts/lot.js'
import { type ConnectionApi, ELSEWHERE, type ShardApi, type StorageApi, type ThreadApi } from '../contracts/threads.js'
import { ShardReading } from './shard-reading.js'
import { connectionTask, lotTask, shardTask, storageTask, type TaskParts } from './tasks.js'
import { hasEnded, tellAll } from './tell-all.js'
import { type RunningThread, ThreadPool } from './thread-pool.js'
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
  /** A shard has begun, or begun anew: tells it who may do what, before clients reach it. */
  readonly introduceShard: (thread: RunningThread<ShardApi>) => Promise<void>
  readonly introduceConnection: (thread: RunningThread<ConnectionApi>) => Promise<void>
  /** What a connection thread has seen of clients that may come to be banned. */
  readonly onBanReport: (report: BanReport) => void
  /** Of this start; undefined where there is none. */
  readonly controlToken: string | undefined
  /** A shard was started anew, and the others know. */
  readonly onShardRestart?: () => void
  /** The LoT thread was started anew, and has nothing to run. */
  readonly onLotRestart?: () => Promise<void>
  readonly onLotEvent?: (event: LotEvent) => void
  /** What threads have to say for the audit trail. */
  readonly onAudit?: (entries: readonly AuditEntry[]) => void
  readonly workers: { readonly shard: URL; readonly connection: URL; readonly storage: URL; readonly lot: URL }
}

type Kind = 'shard' | 'connection' | 'storage' | 'lot'

export class Supervisor {
  readonly wiring: Wiring
  /** Resolves when the broker cannot go on. */
  readonly failed: Promise<BrokerError>
  readonly #shardPool: ThreadPool<ShardApi>
  readonly #connectionPool: ThreadPool<ConnectionApi>
  readonly #storagePool: ThreadPool<StorageApi> | undefined
  readonly #lotPool: ThreadPool<LotApi>
  #lot: RunningThread<LotApi> | undefined
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
  /** The storage thread ended within a transaction: it never ends, and neither does a process that waits for it. */
  #isHeld = false
  #fail: (error: BrokerError) => void = () => {}

  constructor(readonly options: SupervisorOptions) {
    const { config, shards, connections, log, workers, onAudit } = options
    this.#log = log.area('supervisor')
    this.wiring = new Wiring(connections, shards, config.threads.ringBytes, config.connection.connectionsMax)
    this.#shardPool = new ThreadPool(workers.shard, shards, log, onAudit)
    this.#connectionPool = new ThreadPool(workers.connection, connections, log, onAudit)
    this.#lotPool = new ThreadPool(workers.lot, 1, log, onAudit)
    this.#storagePool = isStored(config) ? new ThreadPool(workers.storage, 1, log, onAudit) : undefined
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
  }

  /**
   * @param beforeListening what is to be done when all threads work, and before clients are let in
   * @returns the ports taken, per listener of the configuration
   */
  start(beforeListening: () => Promise<void> = async () => {}): Promise<readonly number[]> {
    const failure = this.failed.then((error) => {
      throw error
    })
    // a thread of which it is not known that it has ended never answers
    return Promise.race([this.#startAll(beforeListening), failure])
  }

  async #startAll(beforeListening: () => Promise<void>): Promise<readonly number[]> {
    await this.#startStorage()
    for (let index = 0; index < this.options.shards; index++) this.#startShard(index)
    for (let index = 0; index < this.options.connections; index++) this.#startConnection(index)
    this.#startLot()
    const reading = new ShardReading([...this.#shards], this.#storage, this.#log)
    await reading.begin()
    await beforeListening()
    for (const thread of this.#shards) await this.options.introduceShard(thread)
    for (const thread of this.#connections) await this.options.introduceConnection(thread)
    const { listeners } = this.options.config
    this.#ports = await this.#connections[0].api.listen(listeners.map(({ port }) => port))
    for (const thread of this.#connections.slice(1)) await thread.api.listen(this.#portsOfOthers())
    reading.goOn()
    return this.#ports
  }

  get #parts(): TaskParts {
    const { config, clock } = this.options
    return { wiring: this.wiring, config, clock }
  }

  get shards(): readonly RunningThread<ShardApi>[] {
    return this.#shards
  }

  get connections(): readonly RunningThread<ConnectionApi>[] {
    return this.#connections
  }

  get lot(): RunningThread<LotApi> {
    if (this.#lot === undefined) throw new Error('the broker has not been started')
    return this.#lot
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
    const others = [this.#storage, this.#lot].filter((thread) => thread !== undefined)
    return [...this.#connections, ...this.#shards, ...others] as unknown as RunningThread<ThreadApi>[]
  }

  /**
   * The configuration has changed in place, and files that it names may have. Threads that are started anew get it as it
   * is then.
   */
  async reconfigure(): Promise<void> {
    await tellAll(this.threads, ({ api }) => api.reconfigure(this.options.config))
    await tellAll(this.#connections, ({ api }) => api.reloadTls())
  }

  /** No thread is started anew from now on. */
  expectEnd(): void {
    this.#isStopping = true
  }

  async destroy(): Promise<void> {
    this.#isStopping = true
    // a thread that is ended within a transaction never ends
    const isIdle = this.#storage === undefined || this.#isHeld || this.wiring.gate.shut(GATE_MS)
    if (!isIdle) this.#log.error('the disk does not answer')
    const storagePool = this.#isHeld ? undefined : this.#storagePool
    const pools = [this.#shardPool, this.#connectionPool, this.#lotPool, storagePool]
    await Promise.all(pools.map((pool) => pool?.destroy()))
  }

  /** A file can be listened on once: Unix sockets stay with the first thread. */
  #portsOfOthers(): number[] {
    const { listeners } = this.options.config
    return this.#ports.map((port, place) => (listeners[place].type === 'unix' ? ELSEWHERE : port))
  }

  async #startStorage(): Promise<void> {
    if (this.#storagePool === undefined) return
    const thread = this.#storagePool.run((ports) => storageTask(this.#parts, ports))
    this.#storage = thread
    const { gate } = this.wiring
    void thread.closed.then(() => {
      if (gate.isEntered) this.#failHeld()
    })
    const { quarantined } = await thread.api.open()
    this.#watch('storage', 0, thread, () => this.#restartShards())
    if (quarantined === undefined) return
    const { path, reason } = quarantined
    this.#quarantine = `${path}: ${reason}`
  }

  /** Ended within a transaction, a thread keeps what it has locked for as long as this process lives. */
  #failHeld(): void {
    this.#isHeld = true
    this.#fail(new BrokerError('STORE_HELD', {}))
  }

  #startShard(index: number): void {
    const isStored = this.#storage !== undefined
    const thread = this.#shardPool.run((ports) => shardTask(this.#parts, ports, index, isStored))
    this.#shards[index] = thread
    this.#watch('shard', index, thread, () => {
      return this.#storage === undefined ? this.#restartShard(index) : this.#restartShards()
    })
  }

  #startLot(): void {
    const { onLotEvent } = this.options
    const events = new MessageChannel()
    events.port1.on('message', (event: LotEvent) => onLotEvent?.(event))
    events.port1.unref() // what it tells keeps nobody alive
    const thread = this.#lotPool.run((ports) => lotTask(this.#parts, ports, events.port2), [events.port2])
    this.#lot = thread
    this.#watch('lot', 0, thread, () => this.#restartLot())
  }

  async #restartLot(): Promise<void> {
    this.wiring.renewLot()
    this.#startLot()
    await tellAll(this.#shards, ({ api }, shard) => api.replaceLot(this.wiring.lotLinks[shard]))
    this.#log.warn('LoT thread started anew; messages that waited for Actions and Models are lost')
    await this.options.onLotRestart?.()
  }

  #startConnection(index: number): void {
    const { controlToken, onBanReport } = this.options
    const channel = new MessageChannel()
    channel.port1.on('message', (report: BanReport) => onBanReport(report))
    channel.port1.unref() // what it tells keeps nobody alive
    const reports = channel.port2
    const thread = this.#connectionPool.run(
      (ports) => connectionTask(this.#parts, ports, index, { controlToken, reports }),
      [reports],
    )
    this.#connections[index] = thread
    this.#watch('connection', index, thread, () => this.#restartConnection(index))
  }

  #watch(kind: Kind, index: number, thread: { readonly ended: Promise<void> }, restart: () => Promise<void>): void {
    const died = (reason: string): void => {
      if (this.#isStopping || this.#isHeld || this.#replaced.has(thread)) return
      if (!this.#hasDied(kind, index, reason)) return
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

  /** @returns whether it is worth while to start it anew; if not, the broker cannot go on */
  #hasDied(kind: Kind, index: number, reason: string): boolean {
    this.#log.error(new BrokerError('THREAD_LOST', { kind, index, reason }).message, { kind, index })
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
    if (!(await this.#renewStorage())) return
    for (const index of old.keys()) this.#startShard(index)
    const reading = new ShardReading([...this.#shards], this.#storage, this.#log)
    await reading.begin()
    this.#log.warn('all shards are started anew; sessions that outlive their connection are back from the store')
    await tellAll(this.#shards, (thread) => this.options.introduceShard(thread))
    for (const index of old.keys()) await this.#linkLot(index)
    for (const index of old.keys()) await this.#connectShard(index)
    reading.goOn()
    this.options.onShardRestart?.()
  }

  /**
   * Tells the storage thread of the new rings of the shards; one that has ended is started anew, as often as it may be.
   * @returns whether there is one @throws BrokerError when the store cannot be opened
   */
  async #renewStorage(): Promise<boolean> {
    for (let thread = this.#storage; thread !== undefined; thread = this.#storage) {
      try {
        if (!(await hasEnded(thread))) {
          await thread.api.replaceShards(this.wiring.stores.map(({ ring }) => ring))
          return true
        }
        if (this.wiring.gate.isEntered) {
          this.#failHeld()
          return false
        }
        this.#replaced.add(thread)
        this.wiring.renewStorage()
        await this.#startStorage()
        return true
      } catch (cause) {
        const current = this.#storage
        if (current === undefined || this.#isStopping || !(await hasEnded(current))) throw cause
        if (current !== thread && !this.#hasDied('storage', 0, messageOf(cause))) return false
      }
    }
    return false
  }

  async #restartShard(index: number): Promise<void> {
    this.wiring.renewShard(index)
    this.#startShard(index)
    this.#log.warn('shard started anew; the sessions it held are lost, because there is no store', { index })
    await tellAll([this.#shards[index]], (thread) => this.options.introduceShard(thread))
    await this.#introduceShard(index)
    await this.#linkLot(index)
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

  /** Before any client is back: LoT gets what it publishes. */
  async #linkLot(index: number): Promise<void> {
    await tellAll([this.lot], ({ api }) => api.replaceShard(index, this.wiring.lotLinks[index]))
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
    await tellAll([this.#connections[index]], async (thread) => {
      await this.options.introduceConnection(thread)
      await thread.api.listen(ports)
    })
  }
}

/** Whether anything is kept on disk. */
export function isStored(config: BrokerConfig): boolean {
  const { level, topics } = config.durability
  return level !== 'off' || topics.some((rule) => rule.level !== 'off')
}
