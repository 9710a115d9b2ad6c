/** The thread of one session shard: takes records from its rings, lets the shard work, publishes what it wrote. */

import { createPortAudit } from '../src/audit/port-audit.js'
import { SharedClock } from '../src/base/clock.js'
import { Doorbell } from '../src/base/doorbell.js'
import { createPortLogger } from '../src/base/log-port.js'
import { Reactor } from '../src/base/reactor.js'
import { type RecordHandler, RingConsumer, RingProducer } from '../src/base/ring.js'
import { serve } from '../src/base/rpc.js'
import { SharedCounts } from '../src/base/shared-counts.js'
import { lotThreadLost, receiveFromLot, retainedValues } from '../src/broker/lot-flow.js'
import { LotLink } from '../src/broker/lot-link.js'
import type { Message } from '../src/broker/message.js'
import { Outlet } from '../src/broker/outlet.js'
import { welcomePeer } from '../src/broker/peer-recovery.js'
import { pumpAll } from '../src/broker/pump.js'
import { changeAccess, judgeAnew } from '../src/broker/receiving.js'
import { closeAll, connectionThreadLost } from '../src/broker/session-end.js'
import { publishInternal, receiveFromConnection, receiveFromPeer, releaseWaiting, tick } from '../src/broker/shard.js'
import { ShardState } from '../src/broker/shard-state.js'
import { adoptConfig } from '../src/config/live.js'
import { openCounters } from '../src/contracts/counters.js'
import type { ShardApi, ShardTask } from '../src/contracts/threads.js'
import { Policy } from '../src/security/rules/policy.js'
import type { Journal } from '../storage/journal.js'
import { MemoryStorage } from '../storage/memory-storage.js'
import { ShardStore } from './shard-store.js'

/** Milliseconds between looks at timers: the precision of expiry intervals and will delays. */
const TICK_MS = 250
/** Bytes taken from one ring before the next one has its turn. */
const TURN_BYTES_MAX = 131_072

export default async function run(task: ShardTask): Promise<void> {
  const clock = new SharedClock(task.clock)
  const log = createPortLogger(task.config.log, task.log)
  const audit = createPortAudit(task.audit, clock)
  const store = task.storage && new ShardStore(task, task.storage)
  const shard = new ShardState({
    index: task.index,
    config: task.config,
    clock,
    counters: openCounters(task.counters),
    totals: task.totals,
    storage: store?.journal ?? new MemoryStorage<Message>(task.config.retained),
    log,
    outlets: task.connections.map((pair) => new RingProducer(pair.toConnection)),
    peers: task.peersOut.map((memory) => (memory === undefined ? undefined : new RingProducer(memory))),
    lot: new RingProducer(task.lot.toLot),
    policy: new Policy(task.config.rules),
    userCounts: new SharedCounts(task.limits.byUser, task.index),
    addressCounts: new SharedCounts(task.limits.heldByAddress, task.index),
    audit,
  })
  const connectionBells = task.connectionDoorbells.map((memory) => new Doorbell(memory))
  const storeBell = task.storage && new Doorbell(task.storage.doorbell)
  const lotBell = new Doorbell(task.lotDoorbell)
  const shardBells = task.shardDoorbells.map((memory) => new Doorbell(memory))
  const inbound = task.connections.map((pair) => new RingConsumer(pair.toShard))
  const handlers: RecordHandler[] = inbound.map((_, thread) => (bytes, ints, at) => {
    receiveFromConnection(shard, thread, bytes, ints, at)
  })
  const peers = task.peersIn.map((memory) => (memory === undefined ? undefined : new RingConsumer(memory)))
  let fromLot = new RingConsumer(task.lot.toShard)
  const handleLot: RecordHandler = (bytes, ints, at) => receiveFromLot(shard, bytes, ints, at)
  const fromPeer: RecordHandler = (bytes, ints, at) => receiveFromPeer(shard, bytes, ints, at)

  const flush = (): boolean => {
    let congested = false
    if (store !== undefined && storeBell !== undefined) {
      store.journal.writeProgress()
      if (store.ring.publish()) storeBell.ring()
      congested = store.ring.isCongested
    }
    if (shard.lot.ring.publish()) lotBell.ring()
    congested ||= shard.lot.ring.isCongested
    shard.outlets.forEach((outlet, thread) => {
      if (outlet.ring.publish()) connectionBells[thread].ring()
      congested ||= outlet.ring.isCongested
    })
    shard.peers.rings.forEach((ring, index) => {
      if (ring === undefined) return
      if (ring.publish()) shardBells[index].ring()
      congested ||= ring.isCongested
    })
    return congested
  }
  const work = (): number => {
    shard.nowMs = clock.now()
    // other shards first and always: they wait for answers, and what they send makes no new work for them
    let taken = 0
    for (const peer of peers) if (peer !== undefined) taken += peer.drain(fromPeer, TURN_BYTES_MAX)
    if (store !== undefined) taken += runFlushed(shard, store.journal)
    const congested = flush()
    if (congested) return taken
    taken += releaseWaiting(shard, TURN_BYTES_MAX)
    if (flush() || shard.opening?.holdsBack) return taken
    taken += fromLot.drain(handleLot, TURN_BYTES_MAX)
    if (shard.toPump.length > 0) pumpAll(shard)
    if (flush()) return taken
    for (let thread = 0; thread < inbound.length; thread++) {
      taken += inbound[thread].drain(handlers[thread], TURN_BYTES_MAX)
      if (flush()) return taken
    }
    return taken
  }
  const reactor = new Reactor(task.doorbell, work, flush, () => {
    if (store?.journal.hasFlushed) return true
    if (shard.opening?.isOver) return true
    if (shard.opening?.holdsBack) return peers.some((ring) => ring !== undefined && !ring.isEmpty)
    if (!fromLot.isEmpty) return true
    return inbound.some((ring) => !ring.isEmpty) || peers.some((ring) => ring !== undefined && !ring.isEmpty)
  })
  const onTick = (): void => {
    tick(shard)
    audit.tick()
    reactor.poke()
  }
  const ticker = setInterval(onTick, TICK_MS)

  const unread = store?.begin(shard)
  flush()
  let giveUp = (_: unknown): void => {}
  // a shard that cannot read what is in the store has to begin anew
  const unreadable = new Promise<never>((_, reject) => {
    giveUp = reject
  })
  const read = async (reading: Promise<number> | undefined): Promise<number> => {
    reading?.catch(giveUp)
    return (await reading) ?? 0
  }

  const api: ShardApi = {
    async ready() {
      return unread?.counts ?? { sessions: 0, unreadSessions: 0, messages: 0, retained: 0 }
    },
    readSessions: () => read(unread && store?.readSessions(shard, unread, flush)),
    beginRouting() {
      shard.opening?.end()
      reactor.poke()
    },
    readMessages: () => read(unread && store?.readMessages(shard, unread, flush)),
    tick: onTick,
    settle: () => reactor.settle(),
    reconfigure(config) {
      const { recheckOpenSubscriptions } = task.config.rules
      adoptConfig(task.config, config)
      log.setLevels(task.config.log)
      if (task.config.rules.recheckOpenSubscriptions !== recheckOpenSubscriptions) judgeAnew(shard)
    },
    sessions: () => shard.recent.list(shard.sessions.values()),
    publish(messages) {
      publishInternal(shard, messages)
      reactor.poke()
    },
    async retainedValues(filter, after, limit) {
      if (unread !== undefined && after === undefined) await store?.loadMatching(shard, unread, filter)
      return retainedValues(shard, filter, after, limit)
    },
    changeAccess(change) {
      changeAccess(shard, change)
      pumpAll(shard)
      reactor.poke()
    },
    decide: (question) => shard.access.decide(question),
    explainAccess: (question) => shard.access.explain(question),
    replaceLot(link) {
      lotThreadLost(shard)
      shard.lot = new LotLink(task.index, new RingProducer(link.toLot))
      fromLot = new RingConsumer(link.toShard)
      reactor.poke()
    },
    replaceConnectionThread(index, rings) {
      connectionThreadLost(shard, index)
      shard.outlets[index] = new Outlet(new RingProducer(rings.toConnection))
      shard.attached[index] = []
      inbound[index] = new RingConsumer(rings.toShard)
      pumpAll(shard)
      reactor.poke()
    },
    replacePeer(index, incoming, outgoing) {
      peers[index] = new RingConsumer(incoming)
      shard.peers.replace(index, new RingProducer(outgoing))
      welcomePeer(shard, index)
      reactor.poke()
    },
    async shutDown(reasonCode) {
      closeAll(shard, reasonCode, 'the broker is shutting down')
      pumpAll(shard)
      reactor.poke()
      await reactor.settle()
      // what it says of its sessions is to be on disk when the broker has stopped
      await new Promise<void>((resolve) => shard.storage.whenFlushed(() => resolve()))
      audit.flush()
    },
  }
  reactor.start()
  await Promise.race([serve(api, task.control), unreadable])
  clearInterval(ticker)
  reactor.stop()
  audit.flush()
  await store?.close()
}

/** What waited for the disk goes on. */
function runFlushed(shard: ShardState, journal: Journal<Message>): number {
  const ran = journal.runFlushed()
  if (ran === 0) return 0
  for (const outlet of shard.outlets) outlet.flushAcks()
  pumpAll(shard)
  return ran
}
