/** Composition root: from a configuration to a running broker, and back. */
import { availableParallelism } from 'node:os'
import { Supervisor } from './actors/supervisor.js'
import { CertificateWatch } from './admin/certificate-watch.js'
import { CorefluxTopics } from './admin/coreflux-topics.js'
import { SysTopics } from './admin/sys-topics.js'
import { Trail } from './audit/trail.js'
import { SharedClock } from './base/clock.js'
import { entryFile } from './base/entry-file.js'
import type { BrokerError } from './base/errors.js'
import { prepareFolder } from './base/folder.js'
import type { Logger } from './base/log.js'
import type { Reply } from './commands/envelope.js'
import { readKeptSettings } from './config/kept-settings.js'
import { type ConfigChange, type ConfigReader, LiveConfig } from './config/live-config.js'
import { loadOver } from './config/load.js'
import type { BrokerConfig, Listener } from './config/schema.js'
import { lostKeyWarning, secretKeyPlace } from './config/secret-key-place.js'
import { ConfigControl } from './config-control.js'
import { renewTicketSecret, TICKET_SECRET_MS } from './contracts/ticket-keys.js'
import type { LotControl } from './lot-control.js'
import { ReasonCode } from './mqtt/reason-codes.js'
import { controlUrl, removeControlFile, writeControlFile } from './security/control-file.js'
import { makeControlToken } from './security/control-token.js'
import { SecurityControl } from './security-control.js'

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
  /**
   * Reads the configuration again. Resolves when what can change now is in force.
   * @throws BrokerError CONFIG_INVALID, FILE_UNREADABLE: nothing has changed then
   */
  reload(): Promise<ConfigChange>
  /** Carries out a command as its owner. Resolves with the answer; undefined if it has none. */
  command(text: string): Promise<Reply | undefined>
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

export interface BrokerOptions {
  readonly log: Logger
  /** For MERLOT_SECRET_KEY and MERLOT_ROOT_PASSWORD; that of the process unless told. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Resolves when somebody wants it to stop: then the start does not wait for the project, which may come from far away. */
  readonly stopping?: Promise<unknown>
  /**
   * Takes what is to be told once to whoever has started it: that `root` was made, and its password. At once: the start may
   * still fail, and the password stays.
   */
  readonly tellOwner?: (lines: readonly string[]) => void
  /** Reads the configuration again; without it, there is the given one and what clients have set. */
  readonly readConfig?: ConfigReader
}

/**
 * @param given with what clients have set, where `readConfig` is there
 * @throws BrokerError CONFIG_INVALID, FOLDER_UNUSABLE, PORT_IN_USE, LISTEN_FAILED, FILE_UNREADABLE, CERTIFICATE_INVALID; nothing is left
 *   running then
 */
export async function startBroker(given: BrokerConfig, options: BrokerOptions): Promise<RunningBroker> {
  const { log, environment = process.env } = options
  prepareFolder(given.dataDirectory)
  const live = openConfig(given, options.readConfig)
  const config = live.current
  const clock = new SharedClock()
  const connections = connectionThreads(config)
  const shards = config.threads.shards === 'auto' ? autoThreads() : config.threads.shards
  const controlToken = makeControlToken()
  const key = secretKeyPlace(config, environment)
  const lostKey = lostKeyWarning(key, config.dataDirectory)
  if (lostKey !== undefined) log.warn(lostKey, { remedy: 'stop the broker, and bring the key back from a copy' })
  const trail = config.audit.enabled ? new Trail({ config, clock, log, key }) : undefined
  const supervisor: Supervisor = new Supervisor({
    config,
    shards,
    connections,
    clock: clock.memory,
    log,
    controlToken,
    // a thread that dies before users and rules are read is not told that there are none
    introduceShard: (thread) => restored.then(() => security.introduceShard(thread)),
    introduceConnection: (thread) => restored.then(() => security.introduceConnection(thread)),
    onAudit: (entries) => {
      trail?.take(entries)
      corefluxTopics.audited(entries)
    },
    onBanReport: (report) => made?.whole.bans.take(report),
    onShardRestart: () => {
      sysTopics.forget()
      corefluxTopics.forget()
      made?.shardsRestarted()
    },
    onLotRestart: async () => made?.lotRestarted(),
    onLotEvent: (event) => made?.handle(event),
    workers: {
      shard: entryFile('shard'),
      connection: entryFile('connection'),
      storage: entryFile('storage'),
      lot: entryFile('lot'),
    },
  })
  const corefluxTopics: CorefluxTopics = new CorefluxTopics({
    config,
    clock,
    totals: () => sysTopics.totals(),
    sessions: () => Promise.all(supervisor.shards.map(({ api }) => api.sessions())),
    publish: (messages) => supervisor.shards[0].api.publish(messages),
  })
  const configuration = new ConfigControl({
    live,
    supervisor,
    clock,
    log,
    audit: trail,
    changed: () => made?.configurationChanged(),
  })
  const certificates = new CertificateWatch(config, clock, log)
  const sysTopics: SysTopics = new SysTopics(
    config,
    supervisor.wiring,
    clock,
    (messages) => supervisor.shards[0].api.publish(messages),
    () => supervisor.quarantine,
    () => ({ 'audit/lost': trail?.status().lost, 'certificates/warnings': certificates.warnings }),
  )
  const security = new SecurityControl(supervisor, () => lotOf(made).whole)
  let made: LotControl | undefined
  let isRestored = (): void => {}
  const restored = new Promise<void>((resolve) => {
    isRestored = resolve
  })
  // while storage thread and shards read the store
  const making = import('./lot-control.js').then(
    ({ LotControl }) =>
      new LotControl({
        config,
        configuration,
        security,
        trail,
        environment,
        supervisor,
        clock,
        log,
        updateStatistics: () => {
          sysTopics.forget()
          corefluxTopics.update()
        },
      }),
  )
  making.catch(() => {}) // told where it is awaited; the start may fail before
  let ports: readonly number[]
  try {
    ports = await supervisor.start(async () => {
      made = await making
      await trail?.open() // the data folder is this broker's by now
      await made.restore()
      isRestored()
      if (made.firstNotice.length > 0) options.tellOwner?.(made.firstNotice)
    })
  } catch (cause) {
    await supervisor.destroy()
    await trail?.close()
    throw cause
  }
  const lot = lotOf(made)
  certificates.start()
  sysTopics.start()
  corefluxTopics.start()
  await Promise.race([
    lot.loadProject(),
    supervisor.failed,
    ...(options.stopping === undefined ? [] : [options.stopping]),
  ])

  const settled = async (): Promise<void> => {
    // what one thread has done may be work for another: done when a whole round finds nothing
    for (let quiet = 0; quiet < 2; ) {
      const hadWork = await Promise.all(supervisor.threads.map(({ api }) => api.settle()))
      quiet = hadWork.includes(true) ? 0 : quiet + 1
    }
  }
  const tickets = setInterval(() => renewTicketSecret(supervisor.wiring.ticketSecret), TICKET_SECRET_MS).unref()
  const stopClocks = (): void => {
    clearInterval(tickets)
    certificates.stop()
    sysTopics.stop()
    corefluxTopics.stop()
  }
  const end = async (): Promise<void> => {
    await supervisor.destroy()
    await trail?.close()
    removeControlFile(config.dataDirectory, controlToken)
  }
  const listeners = config.listeners.map((listener, place) => addressOf(listener, ports[place]))
  const url = controlUrl(listeners)
  if (url !== undefined) await writeControlFile(config.dataDirectory, url, controlToken)
  return {
    listeners,
    command: (text) => lot.execute(text),
    shards,
    connectionThreads: connections,
    reload: () => configuration.reload(),
    failed: supervisor.failed,
    async stop() {
      supervisor.expectEnd()
      stopClocks()
      await lot.stop()
      const closing = supervisor.connections.map(({ api }) => api.shutDown(SHUTDOWN_GRACE_MS))
      const telling = supervisor.shards.map(({ api }) => api.shutDown(ReasonCode.SERVER_SHUTTING_DOWN))
      await Promise.allSettled([...closing, ...telling])
      // commits what is left, and closes the store
      await supervisor.storage?.api.shutDown().catch(() => {})
      await end()
    },
    async stopNow() {
      stopClocks()
      await lot.stopNow()
      await end()
    },
    async advance(ms) {
      clock.advance(ms)
      await Promise.all(supervisor.threads.map(({ api }) => api.tick()))
      trail?.tick()
      certificates.tick()
      sysTopics.tick()
      corefluxTopics.tick()
      await settled()
    },
    settled,
  }
}

/** @throws Error before the start has come so far */
function lotOf(made: LotControl | undefined): LotControl {
  if (made === undefined) throw new Error('the broker has not been started')
  return made
}

function openConfig(given: BrokerConfig, readConfig: ConfigReader | undefined): LiveConfig {
  const kept = readKeptSettings(given.dataDirectory)
  if (readConfig !== undefined) return new LiveConfig(given, kept, readConfig)
  const config = kept.size === 0 ? given : loadOver(given, kept).config
  return new LiveConfig(config, kept, (settings) => loadOver(given, settings))
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
