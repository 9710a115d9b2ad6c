import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ThreadPool } from '../src/actors/thread-pool.js'
import { Wiring } from '../src/actors/wiring.js'
import { SharedClock } from '../src/base/clock.js'
import { type Logger, silentLogger } from '../src/base/log.js'
import type { Remote } from '../src/base/rpc.js'
import { BrokerConfig } from '../src/config/schema.js'
import { Counter, openCounters } from '../src/contracts/counters.js'
import type { StorageApi, StorageTask } from '../src/contracts/threads.js'
import { TABLE } from '../storage/engine.js'
import { openLmdbEngine } from '../storage/lmdb-engine.js'

const text = (value: Uint8Array): string => Buffer.from(value).toString()

interface StorageThread {
  readonly api: Remote<StorageApi>
  readonly counters: Float64Array
  /** Resolves when the store is closed. */
  stop(): Promise<void>
}

function startThread(t: Test, dataDirectory: string, { log = silentLogger, bytesMax = 0 } = {}): StorageThread {
  const config = BrokerConfig.parse({ dataDirectory, storage: { bytesMax } })
  const wiring = new Wiring(1, 1, 65_536, 100)
  const pool = new ThreadPool<StorageApi>(new URL('./storage.js', import.meta.url), 1, log)
  t.teardown(() => pool.destroy())
  const thread = pool.run(
    (ports): StorageTask => ({
      ...wiring.storage,
      ...ports,
      index: 0,
      config,
      clock: new SharedClock().memory,
      totals: wiring.totals,
      gate: wiring.gate.shared,
      shards: wiring.stores,
      shardDoorbells: wiring.shards.map(({ doorbell }) => doorbell),
    }),
  )
  const stop = async (): Promise<void> => {
    await thread.api.shutDown()
    thread.end()
    await thread.ended
  }
  return { api: thread.api, counters: openCounters(wiring.storage.counters), stop }
}

t.test('definitions are there again after a start', async (t) => {
  const data = t.testdir({})
  const first = startThread(t, data)
  await t.rejects(first.api.definitions(), { message: 'the store is not open' })
  await t.rejects(first.api.saveDefinitions([]), { message: 'the store is not open' })
  await first.api.open()
  t.same(await first.api.definitions(), [])
  const many = Array.from({ length: 1_000 }, (_, number) => ({ key: `model/${number}`, value: Buffer.from('M') }))
  await first.api.saveDefinitions(many)
  await first.api.saveDefinitions([
    ...many.slice(1).map(({ key }) => ({ key, value: undefined })),
    { key: 'action/ä', value: Buffer.from('A') },
  ])
  await t.rejects(first.api.saveDefinitions([{ key: '', value: undefined }]), { message: /is empty/ })
  await first.stop()

  const second = startThread(t, data)
  await second.api.open()
  const found = await second.api.definitions()
  t.same(
    found.map(({ key, value }) => [key, text(value)]),
    [
      ['action/ä', 'A'],
      ['model/0', 'M'],
    ],
  )
  t.equal(second.counters[Counter.storeGivenUp], 0)
  await second.stop()
})

t.test('a store that is full says so with its code', async (t) => {
  const { api, stop } = startThread(t, t.testdir({}), { bytesMax: 1_000_000 })
  await api.open()
  await api.saveDefinitions([{ key: 'a', value: Buffer.from('1') }])
  const large = { key: 'b', value: new Uint8Array(2_000_000) }
  await t.rejects(api.saveDefinitions([{ key: 'a', value: undefined }, large]), { code: 'STORE_FULL' })
  t.same(
    (await api.definitions()).map(({ key }) => key),
    ['a'],
  )
  await stop()
})

t.test('a damaged one is given up, named in the log and counted', async (t) => {
  const data = t.testdir({})
  const first = startThread(t, data)
  await first.api.open()
  await first.api.saveDefinitions([
    { key: 'action/bad', value: Buffer.from('x') },
    { key: 'action/good', value: Buffer.from('x') },
  ])
  await first.stop()
  const engine = openLmdbEngine(join(data, 'store'), { bytesMax: 0 })
  engine.commit((transaction) => {
    transaction.put(TABLE.definitions, Buffer.from('action/bad'), Buffer.from('12345'))
  })
  await engine.close()

  const errors: string[] = []
  const log: Logger = { ...silentLogger, area: () => log, error: (message: string) => errors.push(message) }
  const second = startThread(t, data, { log })
  await second.api.open()
  const found = await second.api.definitions()
  await second.api.definitions()
  t.same(
    found.map(({ key }) => key),
    ['action/good'],
  )
  t.equal(second.counters[Counter.storeGivenUp], 1)
  await second.stop()
  t.match(errors, ['the definition action/bad has a wrong checksum: it is given up'])
})

t.test('a damaged rule or user is handed on as one without content', async (t) => {
  const data = t.testdir({})
  const first = startThread(t, data)
  await first.api.open()
  await first.api.saveDefinitions(
    ['rule/Secret', 'rule/Good', 'settings/rulesSeeded', 'user/ann'].map((key) => ({ key, value: Buffer.from('x') })),
  )
  await first.stop()
  const engine = openLmdbEngine(join(data, 'store'), { bytesMax: 0 })
  engine.commit((transaction) => {
    for (const key of ['rule/Secret', 'settings/rulesSeeded', 'user/ann']) {
      transaction.put(TABLE.definitions, Buffer.from(key), Buffer.from('12345'))
    }
  })
  await engine.close()

  const second = startThread(t, data)
  await second.api.open()
  t.same(
    (await second.api.definitions()).map(({ key, value }) => [key, text(value)]),
    [
      ['rule/Good', 'x'],
      ['rule/Secret', ''],
      ['settings/rulesSeeded', ''],
      ['user/ann', ''],
    ],
  )
  t.equal(second.counters[Counter.storeGivenUp], 3)
  await second.stop()
})
