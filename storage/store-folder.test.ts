import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createSinkLogger } from '../src/base/log.js'
import { TABLE } from './engine.js'
import { bytes, contents, put, textOf } from './engine-cases.fixture.js'
import { checkStoreFile, type StoreCheck } from './lmdb-check.js'
import { type OpenStore, openStore } from './store-folder.js'

const LOADER = fileURLToPath(new URL('./store-loader.fixture.js', import.meta.url))
const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5)
const QUARANTINE = '2026-01-02T030405.000Z'
const log = createSinkLogger({ level: 'silent', areas: {} }, () => {})

function start(data: string, options = {}): OpenStore {
  return openStore(data, { bytesMax: 0, reserveBytes: 65_536, now: () => NOW_MS, ...options }, log)
}

/** Makes a store with 3 entries in a data folder. @returns the path of its file */
async function makeStore(data: string): Promise<string> {
  const store = start(data)
  put(store.engine, 'a', 'x=1', 'y=2', 'z=3')
  await store.close()
  return join(data, 'store', 'data.mdb')
}

function overwrite(path: string, at: number, data: Uint8Array): void {
  const file = openSync(path, 'r+')
  writeSync(file, data, 0, data.length, at)
  closeSync(file)
}

function usage(path: string): StoreCheck {
  const result = checkStoreFile(path)
  if (result.kind === 'damaged') throw new Error(result.reason)
  return result
}

/** A process that opens the store, reads all of it, and writes to it. */
function load(data: string): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [LOADER, data], { encoding: 'utf8' })
}

t.test('a new store, and the next start', async (t) => {
  const data = join(t.testdir({}), 'new', 'data')
  await makeStore(data)
  const store = start(data)
  t.equal(store.quarantined, undefined)
  t.same(contents(store.engine, 'a'), ['x=1', 'y=2', 'z=3'])
  t.equal(textOf(store.engine.get(TABLE.meta, bytes('version'))), '1')
  t.ok(existsSync(join(data, 'store', 'opening')))
  store.confirm()
  t.notOk(existsSync(join(data, 'store', 'opening')))
  await store.close()
  t.same(readdirSync(data), ['store'])
  t.equal(statSync(join(data, 'store')).mode & 0o777, 0o700)
})

const damages: readonly [string, (path: string) => void, RegExp][] = [
  ['an empty file', (path) => truncateSync(path, 0), /empty/],
  ['a file shorter than its root pages', (path) => truncateSync(path, 100), /root pages/],
  ['a file cut off', (path) => truncateSync(path, 3 * 4_096), /beyond the end/],
  ['both root pages zeros', (path) => overwrite(path, 0, new Uint8Array(8_192)), /root pages/],
  ['both root pages of another kind', (path) => overwrite(path, 0, new Uint8Array(8_192).fill(0xa5)), /root pages/],
  ['text', (path) => writeFileSync(path, 'hello '.repeat(10_000)), /root pages/],
  [
    'a folder in place of the file',
    (path) => {
      rmSync(path)
      mkdirSync(path)
    },
    /is not a file/,
  ],
  [
    'a file in place of the folder',
    (path) => {
      rmSync(join(path, '..'), { recursive: true })
      writeFileSync(join(path, '..'), '')
    },
    /in place of a folder/,
  ],
]
for (const [name, damage, reason] of damages) {
  t.test(`${name} is moved aside`, async (t) => {
    const data = t.testdir({})
    damage(await makeStore(data))
    const first = start(data)
    t.match(first.quarantined, { path: join(data, 'quarantine', QUARANTINE), reason })
    t.ok(existsSync(first.quarantined?.path ?? ''))
    t.same(contents(first.engine, 'a'), [])
    put(first.engine, 'a', 'new=1')
    await first.close()
    const second = start(data)
    t.equal(second.quarantined, undefined)
    t.same(contents(second.engine, 'a'), ['new=1'])
    await second.close()
  })
}

t.test('stores damaged at the same time get names of their own', async (t) => {
  const data = t.testdir({})
  for (let number = 0; number < 3; number++) {
    truncateSync(await makeStore(data), 0)
    await start(data).close()
  }
  t.same(readdirSync(join(data, 'quarantine')).sort(), [QUARANTINE, `${QUARANTINE}-2`, `${QUARANTINE}-3`])
})

for (const page of [0, 1]) {
  t.test(`root page ${page} alone is repaired from the other`, async (t) => {
    const data = t.testdir({})
    const path = await makeStore(data)
    await start(data).close() // so that both root pages know the entries
    for (const wrong of [0, 0xff]) {
      overwrite(path, page * 4_096, new Uint8Array(4_096).fill(wrong))
      const store = start(data)
      t.equal(store.quarantined, undefined)
      t.same(contents(store.engine, 'a'), ['x=1', 'y=2', 'z=3'])
      put(store.engine, 'b', `k=${wrong}`)
      await store.close()
      t.match(checkStoreFile(path), { kind: 'sound' })
      t.equal(readFileSync(path).readUInt32LE(page * 4_096), page, 'it has a number of its own')
    }
    const store = start(data)
    t.same(contents(store.engine, 'b'), ['k=255'])
    await store.close()
  })
}

t.test('a store that was being loaded when the process ended is looked through, however large', async (t) => {
  const data = t.testdir({})
  const path = await makeStore(data)
  const large = { checkedBytesMax: 0 }
  const marker = join(data, 'store', 'opening')
  writeFileSync(marker, '')
  const sound = start(data, large)
  t.equal(sound.quarantined, undefined)
  t.same(contents(sound.engine, 'a'), ['x=1', 'y=2', 'z=3'])
  await sound.close()
  t.notOk(existsSync(marker))
  const wrong = readFileSync(path)
  const leaf = wrong.indexOf('x1') // a key and its value
  wrong.writeUInt8('w'.charCodeAt(0) + 9, leaf) // keys out of order
  writeFileSync(path, wrong)
  writeFileSync(marker, '')
  const store = start(data, large)
  t.match(store.quarantined, { reason: /table a is out of order/ })
  await store.close()
})

t.test('flipped bytes end in a store that works, or in quarantine', async (t) => {
  const folder = t.testdir({})
  t.equal(load(join(folder, 'good')).status, 0)
  const good = readFileSync(join(folder, 'good', 'store', 'data.mdb'))
  const { pagesUsed } = usage(join(folder, 'good', 'store', 'data.mdb'))
  const ends = { works: 0, quarantined: 0 }
  for (let seed = 0; seed < 10; seed++) {
    const store = join(folder, String(seed), 'store')
    mkdirSync(store, { recursive: true })
    const flipped = Buffer.from(good)
    for (let flip = 0; flip < 8; flip++) {
      const random = (seed * 7_919 + flip * 104_729 + 12_345) * 48_271
      const page = 2 + (random % (pagesUsed - 2))
      flipped[page * 4_096 + (Math.floor(random / 977) % (seed % 2 === 0 ? 64 : 4_096))] = random & 0xff
    }
    writeFileSync(join(store, 'data.mdb'), flipped)
    const run = load(join(folder, String(seed)))
    t.equal(run.status, 0, `seed ${seed}: ${run.signal} ${run.stderr}`)
    if (/quarantined/.test(run.stdout)) ends.quarantined++
    else ends.works++
  }
  t.comment(JSON.stringify(ends))
  t.ok(ends.quarantined > 0)
})

t.test('a newer store is left alone', async (t) => {
  const data = t.testdir({})
  await makeStore(data)
  await start(data, { migrations: [() => {}, () => {}] }).close()
  t.throws(() => start(data), { code: 'STORE_TOO_NEW', message: /version 3, and this program knows versions up to 1/ })
  t.notOk(existsSync(join(data, 'quarantine')))
  const newer = start(data, { migrations: [() => {}, () => {}] })
  t.same(contents(newer.engine, 'a'), ['x=1', 'y=2', 'z=3'], 'the lock was released, and nothing changed')
  await newer.close()
})

t.test('an older store is migrated, step by step', async (t) => {
  const data = t.testdir({})
  await makeStore(data)
  const steps: string[] = []
  const migrations = ['first', 'second'].map((name) => (tx: { put: OpenPut }) => {
    steps.push(name)
    tx.put('a', bytes(name), bytes('done'))
  })
  const store = start(data, { migrations })
  t.same(steps, ['first', 'second'])
  t.same(contents(store.engine, 'a'), ['first=done', 'second=done', 'x=1', 'y=2', 'z=3'])
  t.equal(textOf(store.engine.get(TABLE.meta, bytes('version'))), '3')
  await store.close()
  await start(data, { migrations }).close()
  t.equal(steps.length, 2)
})

t.test('a migration that fails leaves the version before it', async (t) => {
  const data = t.testdir({})
  await makeStore(data)
  const fail = (): void => {
    throw new Error('on purpose')
  }
  t.throws(() => start(data, { migrations: [() => {}, fail] }), { message: 'on purpose' })
  const store = start(data, { migrations: [() => {}] })
  t.equal(textOf(store.engine.get(TABLE.meta, bytes('version'))), '2')
  t.equal(store.quarantined, undefined)
  await store.close()
})

t.test('a store that says no version, or a wrong one, is damaged', async (t) => {
  const data = t.testdir({})
  await makeStore(data)
  for (const version of [undefined, '', '0', 'x', '1.5']) {
    const store = start(data)
    store.engine.commit((transaction) => {
      if (version === undefined) transaction.delete(TABLE.meta, bytes('version'))
      else transaction.put(TABLE.meta, bytes('version'), bytes(version))
    })
    await store.close()
    const next = start(data)
    t.match(next.quarantined, { reason: /version/ })
    await next.close()
  }
})

t.test('a full store is opened', async (t) => {
  const data = t.testdir({})
  const store = start(data)
  store.engine.commit((transaction) => transaction.put('a', bytes('big'), new Uint8Array(500_000)))
  await store.close()
  const full = start(data, { bytesMax: 100_000 })
  t.throws(() => put(full.engine, 'a', 'x=1'), { code: 'STORE_FULL' })
  full.engine.commit((transaction) => transaction.delete('a', bytes('big')))
  put(full.engine, 'a', 'x=1')
  await full.close()
})

t.test('a data folder that cannot be used', async (t) => {
  const data = t.testdir({ file: '' })
  t.throws(() => start(join(data, 'file')), { code: 'FOLDER_UNUSABLE' })
  t.throws(() => start(join(data, 'file', 'below')), { code: 'FOLDER_UNUSABLE' })
})

t.test('another process is told who uses the folder', async (t) => {
  const data = t.testdir({})
  const store = start(data)
  const { status, stdout } = load(data)
  t.equal(status, 1)
  t.match(stdout, `STORE_IN_USE ${process.pid}`)
  await store.close()
  t.equal(load(data).status, 0)
})

type OpenPut = (table: string, key: Uint8Array, value: Uint8Array) => void
