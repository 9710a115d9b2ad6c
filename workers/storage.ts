/** The storage thread: the only one that writes to the store. */
import { SharedClock } from '../src/base/clock.js'
import { Doorbell } from '../src/base/doorbell.js'
import { createPortLogger } from '../src/base/log-port.js'
import { Reactor } from '../src/base/reactor.js'
import { RingConsumer } from '../src/base/ring.js'
import { serve } from '../src/base/rpc.js'
import { WriteGate } from '../src/base/write-gate.js'
import { adoptConfig } from '../src/config/live.js'
import { Counter, openCounters } from '../src/contracts/counters.js'
import { RULE_KEY, SEEDED_KEY, USER_KEY } from '../src/contracts/definition-keys.js'
import type { StoredDefinition } from '../src/contracts/lot.js'
import type { StorageApi, StorageTask } from '../src/contracts/threads.js'
import { saveDefinitions, storedDefinitions } from '../storage/definitions.js'
import type { StoreEngine } from '../storage/engine.js'
import { type OpenStore, openStore } from '../storage/store-folder.js'
import { StoreWriter } from '../storage/writer.js'

/** Milliseconds between looks at what is due by time alone. */
const TICK_MS = 250
/** Looks between two measurements of the file. */
const SIZE_TICKS = 8
const NO_BYTES = new Uint8Array()

export default async function run(task: StorageTask): Promise<void> {
  const { config } = task
  const clock = new SharedClock(task.clock)
  const log = createPortLogger(config.log, task.log).area('storage')
  const counters = openCounters(task.counters)
  let store: OpenStore | undefined
  let writer: StoreWriter | undefined
  let ticks = 0

  const work = (): number => {
    if (writer === undefined) return 0
    const taken = writer.work()
    if (taken === 0) return 0
    const { commits, records, elided } = writer.statistics
    counters[Counter.storeCommits] = commits
    counters[Counter.storeRecords] = records
    counters[Counter.storeElided] = elided
    return taken
  }
  const reactor = new Reactor(
    task.doorbell,
    work,
    () => false,
    () => writer?.hasInput ?? false,
  )
  const onFull = (reason: string | undefined): void => {
    counters[Counter.storeFull] = reason === undefined ? 0 : 1
    if (reason === undefined) log.warn('the store has room again: messages are kept as before')
    else log.error(`${reason}; what would have to be kept is refused until there is room`)
  }
  const tick = (): void => {
    writer?.tick()
    if (writer !== undefined && ticks++ % SIZE_TICKS === 0) {
      const { fileBytes, freeBytes } = writer.engine.size()
      counters[Counter.storeFileBytes] = fileBytes
      counters[Counter.storeFreeBytes] = freeBytes
    }
    reactor.poke()
  }
  const ticker = setInterval(tick, TICK_MS)

  const opened = (): StoreEngine => {
    if (store === undefined) throw new Error('the store is not open')
    return store.engine
  }
  const close = async (): Promise<void> => {
    const [closing, drained] = [store, writer]
    store = undefined
    writer = undefined
    drained?.drain()
    await closing?.close()
  }
  const api: StorageApi = {
    tick,
    settle: () => reactor.settle(),
    reconfigure(next) {
      adoptConfig(config, next)
      log.setLevels(config.log)
    },
    async open() {
      const { bytesMax } = config.storage
      store = openStore(config.dataDirectory, { bytesMax, gate: new WriteGate(task.gate) }, log)
      const { engine, quarantined } = store
      const sources = task.shards.map(({ ring, words }, shard) => ({
        ring: new RingConsumer(ring),
        words: new Int32Array(words),
        bell: new Doorbell(task.shardDoorbells[shard]),
      }))
      writer = new StoreWriter(engine, sources, () => clock.now(), onFull)
      reactor.start()
      return { quarantined }
    },
    confirm: () => store?.confirm(),
    replaceShards(rings) {
      writer?.replaceRings(rings.map((ring) => new RingConsumer(ring)))
      reactor.poke()
    },
    async saveDefinitions(changes) {
      saveDefinitions(opened(), changes)
    },
    async definitions() {
      const damage: string[] = []
      const handedOn: StoredDefinition[] = []
      const found = [
        ...storedDefinitions(opened(), (what, key) => {
          damage.push(what)
          if (mustBeKnown(key)) handedOn.push({ key, value: NO_BYTES })
        }),
      ]
      for (const what of damage) log.error(`${what}: it is given up`)
      counters[Counter.storeGivenUp] = damage.length
      return [...found, ...handedOn]
    },
    shutDown: close,
  }
  await serve(api, task.control)
  clearInterval(ticker)
  await close()
  reactor.stop()
}

/** Users, rules, and the note that the first of these have come: without them more would be allowed. */
function mustBeKnown(key: string): boolean {
  return key.startsWith(USER_KEY) || key.startsWith(RULE_KEY) || key === SEEDED_KEY
}
