/** A connection thread: sockets on one side, the rings of the shards on the other. */
import { createPortAudit } from '../src/audit/port-audit.js'
import { SharedClock } from '../src/base/clock.js'
import { Doorbell } from '../src/base/doorbell.js'
import { createPortLogger } from '../src/base/log-port.js'
import { RateLimitedLog } from '../src/base/log-rate.js'
import { Reactor } from '../src/base/reactor.js'
import { type RecordHandler, RingConsumer, RingProducer } from '../src/base/ring.js'
import { serve } from '../src/base/rpc.js'
import { SharedCounts } from '../src/base/shared-counts.js'
import { SharedRates } from '../src/base/shared-rates.js'
import { adoptConfig } from '../src/config/live.js'
import { Counter, openCounters } from '../src/contracts/counters.js'
import { type ConnectionApi, type ConnectionTask, ELSEWHERE } from '../src/contracts/threads.js'
import { AcceptLimits } from '../src/net/accept-limits.js'
import { Bans } from '../src/net/bans.js'
import { ConnectionThread } from '../src/net/connection-thread.js'
import { DescriptorWatch } from '../src/net/descriptor-watch.js'
import { Listeners } from '../src/net/listeners.js'
import { RateLimits } from '../src/net/rates.js'
import { Suspects } from '../src/net/suspects.js'
import { createAuthenticator } from '../src/security/broker-authenticator.js'
import { CredentialsDirectory } from '../src/security/directory.js'

/** Milliseconds between looks at keep alive and other times. */
const TICK_MS = 500
/** Bytes taken from one ring before what they say is written to the sockets. */
const TURN_BYTES_MAX = 262_144
const SHUTDOWN_POLL_MS = 20
/** Threads of the process that hash passwords, unless UV_THREADPOOL_SIZE says otherwise. */
const HASHING_THREADS = 4

export default async function run(task: ConnectionTask): Promise<void> {
  const { config } = task
  const clock = new SharedClock(task.clock)
  const log = createPortLogger(config.log, task.log)
  const counters = openCounters(task.counters)
  const acceptLog = new RateLimitedLog(log.area('listener'), () => clock.now())
  const bans = new Bans(() => config.limits.ban.local)
  const byAddress = new SharedCounts(task.limits.byAddress, task.index)
  const rates = new RateLimits(config.limits, new SharedRates(task.limits.rates))
  const limits = new AcceptLimits({ config: config.connection, totals: task.totals, byAddress, bans, counters })
  const descriptors = new DescriptorWatch(counters, log.area('listener'))
  const audit = createPortAudit(task.audit, clock)
  const directory = new CredentialsDirectory()
  const bells = task.shardDoorbells.map((memory) => new Doorbell(memory))
  const outgoing = task.shards.map((pair) => new RingProducer(pair.toShard))
  const incoming = task.shards.map((pair) => new RingConsumer(pair.toConnection))
  const thread = new ConnectionThread({
    config,
    clock,
    counters,
    log,
    limits,
    authenticator: createAuthenticator({
      config,
      clock,
      log: log.area('connection'),
      directory,
      controlToken: task.controlToken,
      hashesAtOnce: Math.max(1, Math.floor(HASHING_THREADS / task.threads)),
    }),
    directory,
    audit,
    bans,
    rates,
    suspects: new Suspects(counters, (report) => task.reports.postMessage(report)),
    rings: outgoing,
    written: (shard) => {
      if (outgoing[shard].publish()) bells[shard].ring()
      if (outgoing[shard].isCongested) reactor.poke()
    },
  })
  const receive: RecordHandler = (bytes, ints, at) => thread.receive(bytes, ints, at)
  const work = (): number => {
    let taken = 0
    for (const ring of incoming) {
      const bytes = ring.drain(receive, TURN_BYTES_MAX)
      if (bytes > 0) thread.flush()
      taken += bytes
    }
    return taken
  }
  const flush = (): boolean => {
    for (let shard = 0; shard < outgoing.length; shard++) if (outgoing[shard].publish()) bells[shard].ring()
    return thread.resumeReading()
  }
  const reactor: Reactor = new Reactor(task.doorbell, work, flush, () => incoming.some((ring) => !ring.isEmpty))
  const listeners = new Listeners({
    config,
    counters,
    log: acceptLog,
    ticketSecret: task.ticketSecret,
    handshakes: new SharedCounts(task.limits.handshakes, task.index),
    now: () => clock.now(),
    events: {
      admit: (socket, address) => {
        const refused = limits.admit(socket, address, clock.now())
        if (refused === undefined) return true
        counters[Counter[refused]]++
        acceptLog.log('warn', refused, `connection refused: ${REFUSALS[refused] ?? refused}`, { address })
        return false
      },
      released: (socket, address) => limits.release(socket, address),
      accept: (transport, socket, peer) => thread.accept(transport, socket, peer),
    },
  })
  const tick = (): void => {
    thread.tick()
    thread.flush()
    listeners.tick()
    if (task.index === 0) descriptors.check(clock.now())
    acceptLog.report()
    audit.tick()
    reactor.poke()
  }
  const ticker = setInterval(tick, TICK_MS)

  const api: ConnectionApi = {
    tick,
    settle: () => reactor.settle(),
    reconfigure(next) {
      adoptConfig(config, next)
      log.setLevels(config.log)
      rates.refresh()
    },
    async listen(ports) {
      const taken: number[] = []
      for (const [place, listener] of config.listeners.entries()) {
        const port = ports[place]
        taken.push(port === ELSEWHERE ? port : await listeners.open(listener, port, task.sharesPorts))
      }
      return taken
    },
    reloadTls: () => listeners.reloadTls(),
    changeCredentials: (change) => directory.change(change),
    changeBans: (change) => thread.changeBans(change),
    replaceShard(index, rings) {
      outgoing[index] = new RingProducer(rings.toShard)
      incoming[index] = new RingConsumer(rings.toConnection)
      thread.shardLost(index)
      reactor.poke()
    },
    async shutDown(graceMs) {
      listeners.close()
      thread.stop()
      const until = Date.now() + graceMs
      while (thread.open > 0 && Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, SHUTDOWN_POLL_MS))
      }
      thread.destroyAll()
      audit.flush()
    },
  }
  reactor.start()
  await serve(api, task.control)
  clearInterval(ticker)
  listeners.close()
  thread.destroyAll()
  audit.flush()
  task.reports.close()
  reactor.stop()
}

const REFUSALS: Readonly<Record<string, string>> = {
  connectionsRefusedTotal: 'connection.connectionsMax is reached',
  connectionsRefusedAddress: 'connection.connectionsPerAddressMax is reached',
  connectionsRefusedRate: 'connection.connectionsPerSecondMax is reached',
  connectionsRefusedBanned: 'the address is banned',
}
