/** A connection thread: sockets on one side, the rings of the shards on the other. */
import { SharedClock } from '../src/base/clock.js'
import { Doorbell } from '../src/base/doorbell.js'
import { createPortLogger } from '../src/base/log-port.js'
import { RateLimitedLog } from '../src/base/log-rate.js'
import { Reactor } from '../src/base/reactor.js'
import { type RecordHandler, RingConsumer, RingProducer } from '../src/base/ring.js'
import { serve } from '../src/base/rpc.js'
import { Counter, openCounters } from '../src/contracts/counters.js'
import { type ConnectionApi, type ConnectionTask, ELSEWHERE } from '../src/contracts/threads.js'
import { AcceptLimits } from '../src/net/accept-limits.js'
import { ConnectionThread } from '../src/net/connection-thread.js'
import { Listeners } from '../src/net/listeners.js'
import { anonymousAuthenticator } from '../src/security/authenticator.js'

/** Milliseconds between looks at keep alive and other times. */
const TICK_MS = 500
/** Bytes taken from one ring before what they say is written to the sockets. */
const TURN_BYTES_MAX = 262_144
const SHUTDOWN_POLL_MS = 20

export default async function run(task: ConnectionTask): Promise<void> {
  const { config } = task
  const clock = new SharedClock(task.clock)
  const log = createPortLogger(config.log, task.log)
  const counters = openCounters(task.counters)
  const acceptLog = new RateLimitedLog(log.area('listener'), () => clock.now())
  const limits = new AcceptLimits(config.connection, task.totals, counters)
  const bells = task.shardDoorbells.map((memory) => new Doorbell(memory))
  const outgoing = task.shards.map((pair) => new RingProducer(pair.toShard))
  const incoming = task.shards.map((pair) => new RingConsumer(pair.toConnection))
  const thread = new ConnectionThread({
    config,
    clock,
    counters,
    log,
    limits,
    authenticator: anonymousAuthenticator,
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
  const listeners = new Listeners(config, {
    admit: (socket, address) => {
      const refused = limits.admit(socket, address, clock.now())
      if (refused === undefined) return true
      counters[Counter[refused]]++
      acceptLog.log('warn', refused, `connection refused: ${REFUSALS[refused] ?? refused}`, { address })
      return false
    },
    released: (socket, address) => limits.release(socket, address),
    accept: (transport, socket, listener) => thread.accept(transport, socket, listener),
  })
  const tick = (): void => {
    thread.tick()
    thread.flush()
    acceptLog.report()
    reactor.poke()
  }
  const ticker = setInterval(tick, TICK_MS)

  const api: ConnectionApi = {
    tick,
    settle: () => reactor.settle(),
    async listen(ports) {
      const taken: number[] = []
      for (const [place, listener] of config.listeners.entries()) {
        const port = ports[place]
        taken.push(port === ELSEWHERE ? port : await listeners.open(listener, port, task.sharesPorts))
      }
      return taken
    },
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
    },
  }
  reactor.start()
  await serve(api, task.control)
  clearInterval(ticker)
  listeners.close()
  thread.destroyAll()
  reactor.stop()
}

const REFUSALS: Readonly<Record<string, string>> = {
  connectionsRefusedTotal: 'connection.connectionsMax is reached',
  connectionsRefusedAddress: 'connection.connectionsPerAddressMax is reached',
  connectionsRefusedRate: 'connection.connectionsPerSecondMax is reached',
}
