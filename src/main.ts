/** Composition root: from a configuration to a running broker, and back. */
import { accessSync, constants } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Supervisor } from './actors/supervisor.js'
import { SysTopics } from './admin/sys-topics.js'
import { SharedClock } from './base/clock.js'
import { BrokerError } from './base/errors.js'
import { makeFolder } from './base/folder.js'
import type { Logger } from './base/log.js'
import { systemReason } from './base/system-error.js'
import type { BrokerConfig, Listener } from './config/schema.js'
import { LotControl } from './lot-control.js'
import { ReasonCode } from './mqtt/reason-codes.js'

/** Time for clients to take their DISCONNECT and close. */
const SHUTDOWN_GRACE_MS = 2_000
const THREADS_AUTO_MAX = 16

export interface ListenerAddress {
  readonly type: Listener['type']
  readonly host: string
  /** The one taken, also where 0 was asked for; 0 for Unix sockets. */
  readonly port: number
  readonly path: string
  /** For example mqtt://127.0.0.1:1883, wss://[::1]:5443/mqtt, unix:/run/merlot.sock. */
  readonly url: string
}

export interface RunningBroker {
  /** In the order of the configuration. */
  readonly listeners: readonly ListenerAddress[]
  readonly shards: number
  readonly connectionThreads: number
  /** Resolves if the broker cannot go on. */
  readonly failed: Promise<BrokerError>
  /** Tells clients, publishes wills, closes. */
  stop(): Promise<void>
  /** Ends all threads as they are. */
  stopNow(): Promise<void>
  /** Moves the broker's clock forward and runs what became due. */
  advance(ms: number): Promise<void>
  /** Resolves when all threads have worked off what they had, and its effects are with the sockets. */
  settled(): Promise<void>
}

/**
 * @throws BrokerError FOLDER_UNUSABLE, PORT_IN_USE, LISTEN_FAILED, FILE_UNREADABLE, CERTIFICATE_INVALID; nothing is left
 *   running then
 */
export async function startBroker(config: BrokerConfig, options: { readonly log: Logger }): Promise<RunningBroker> {
  const { log } = options
  prepareFolder(config.dataDirectory)
  const clock = new SharedClock()
  const connections = connectionThreads(config)
  const shards = config.threads.shards === 'auto' ? autoThreads() : config.threads.shards
  const supervisor = new Supervisor({
    config,
    shards,
    connections,
    clock: clock.memory,
    log,
    onShardRestart: () => {
      sysTopics.forget()
      lot.shardsRestarted()
    },
    onLotRestart: () => lot.lotRestarted(),
    onLotEvent: (event) => lot.handle(event),
    workers: {
      shard: new URL('../workers/shard.js', import.meta.url),
      connection: new URL('../workers/connection.js', import.meta.url),
      storage: new URL('../workers/storage.js', import.meta.url),
      lot: new URL('../workers/lot.js', import.meta.url),
    },
  })
  const lot: LotControl = new LotControl({ config, supervisor, clock, log, updateStatistics: () => sysTopics.forget() })
  let ports: readonly number[]
  try {
    ports = await supervisor.start(() => lot.restore())
  } catch (cause) {
    await supervisor.destroy()
    throw cause
  }
  const sysTopics: SysTopics = new SysTopics(
    config,
    supervisor.wiring,
    clock,
    (messages) => supervisor.shards[0].api.publish(messages),
    () => supervisor.quarantine,
  )
  sysTopics.start()
  await Promise.race([lot.loadProject(), supervisor.failed])

  const settled = async (): Promise<void> => {
    // what one thread has done may be work for another: done when a whole round finds nothing
    for (let quiet = 0; quiet < 2; ) {
      const hadWork = await Promise.all(supervisor.threads.map(({ api }) => api.settle()))
      quiet = hadWork.includes(true) ? 0 : quiet + 1
    }
  }
  const stopNow = async (): Promise<void> => {
    sysTopics.stop()
    await lot.stopNow()
    await supervisor.destroy()
  }
  return {
    listeners: config.listeners.map((listener, place) => addressOf(listener, ports[place])),
    shards,
    connectionThreads: connections,
    failed: supervisor.failed,
    async stop() {
      supervisor.expectEnd()
      sysTopics.stop()
      await lot.stop()
      const closing = supervisor.connections.map(({ api }) => api.shutDown(SHUTDOWN_GRACE_MS))
      const telling = supervisor.shards.map(({ api }) => api.shutDown(ReasonCode.SERVER_SHUTTING_DOWN))
      await Promise.allSettled([...closing, ...telling])
      // commits what is left, and closes the store
      await supervisor.storage?.api.shutDown().catch(() => {})
      await supervisor.destroy()
    },
    stopNow,
    async advance(ms) {
      clock.advance(ms)
      await Promise.all(supervisor.threads.map(({ api }) => api.tick()))
      sysTopics.tick()
      await settled()
    },
    settled,
  }
}

function prepareFolder(path: string): void {
  makeFolder(path)
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new BrokerError('FOLDER_UNUSABLE', { path, reason: systemReason(cause) }, { cause })
  }
}

/** Half of the cores for sockets, half for sessions: measured, the two sides cost about the same per message. */
function autoThreads(): number {
  return Math.min(THREADS_AUTO_MAX, Math.max(1, availableParallelism() >> 1))
}

/** Threads that share a port need `reusePort`, which Node.js has on Linux since 22.12 (and 23.1). */
function connectionThreads(config: BrokerConfig): number {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const sharesPorts =
    process.platform === 'linux' && (major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12))
  if (!sharesPorts) return 1
  return config.threads.connections === 'auto' ? autoThreads() : config.threads.connections
}

const SCHEMES = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' } as const

function addressOf(listener: Listener, port: number): ListenerAddress {
  const { type, host, path } = listener
  if (type === 'unix') return { type, host: '', port: 0, path, url: `unix:${path}` }
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const isWeb = type === 'ws' || type === 'wss'
  return { type, host, port, path: isWeb ? path : '', url: `${SCHEMES[type]}://${authority}${isWeb ? path : ''}` }
}
