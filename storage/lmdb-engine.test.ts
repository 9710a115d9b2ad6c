/** What only the engine in LMDB does: threads, rights, a full disk. */
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { WriteGate } from '../src/base/write-gate.js'
import { bytes, contents, put, textOf } from './engine-cases.fixture.js'
import { checkStoreFile } from './lmdb-check.js'
import { openLmdbEngine, openLmdbReader } from './lmdb-engine.js'

const FULL_DISK = fileURLToPath(new URL('./full-disk.fixture.js', import.meta.url))
const READER = new URL('./reader-thread.fixture.js', import.meta.url)
const [READY, GO, DONE] = [0, 1, 2]
const small = { bytesMax: 0, reserveBytes: 65_536 }

t.test('what was committed is there after the store was closed', async (t) => {
  const folder = join(t.testdir({}), 'with.dot')
  const first = openLmdbEngine(folder, small)
  put(first, 'a', 'x=1', 'y=2')
  put(first, 'b', 'z=3')
  await first.close()
  const second = openLmdbEngine(folder, small)
  t.same(second.tables, ['a', 'b'])
  t.same(contents(second, 'a'), ['x=1', 'y=2'])
  put(second, 'a', 'x=4')
  t.same(contents(second, 'a'), ['x=4', 'y=2'])
  await second.close()
})

t.test('files are readable by their owner only, those that were there before too', async (t) => {
  const folder = join(t.testdir({}), 'store')
  const modes = (): string[] =>
    [folder, ...readdirSync(folder).map((file) => join(folder, file))].map((path) =>
      (statSync(path).mode & 0o777).toString(8),
    )
  await openLmdbEngine(folder, small).close()
  t.same(modes(), ['700', '600', '600'])
  chmodSync(folder, 0o755)
  for (const file of readdirSync(folder)) chmodSync(join(folder, file), 0o644)
  await openLmdbEngine(folder, small).close()
  t.same(modes(), ['700', '600', '600'])
})

t.test('size', async (t) => {
  const engine = openLmdbEngine(join(t.testdir({}), 'store'), small)
  const used = (): number => engine.size().fileBytes - engine.size().freeBytes
  const empty = used()
  engine.commit((transaction) => transaction.put('a', bytes('big'), new Uint8Array(1_000_000)))
  t.ok(used() - empty > 1_000_000 && used() - empty < 1_050_000, `${used() - empty}`)
  engine.commit((transaction) => transaction.delete('a', bytes('big')))
  t.ok(used() - empty < 50_000)
  t.ok(engine.size().freeBytes > 1_000_000)
  await engine.close()
})

t.test('pages that were given up are used again', async (t) => {
  const engine = openLmdbEngine(join(t.testdir({}), 'store'), small)
  const value = new Uint8Array(300)
  const turn = (number: number): void =>
    engine.commit((transaction) => {
      for (let index = 0; index < 200; index++) {
        transaction.put('log', bytes(String(number * 200 + index).padStart(9, '0')), value)
        transaction.delete('log', bytes(String((number - 5) * 200 + index).padStart(9, '0')))
      }
    })
  for (let number = 0; number < 50; number++) turn(number)
  const { fileBytes } = engine.size()
  for (let number = 50; number < 400; number++) turn(number)
  t.ok(engine.size().fileBytes <= fileBytes * 1.5, `${engine.size().fileBytes} bytes, after ${fileBytes}`)
  await engine.close()
})

t.test('a reader in the same thread', async (t) => {
  const folder = join(t.testdir({}), 'store')
  t.throws(() => openLmdbReader(folder), { code: 'FILE_UNREADABLE' })
  t.notOk(existsSync(folder))
  const engine = openLmdbEngine(folder, small)
  const reader = openLmdbReader(folder)
  put(engine, 'late', 'x=1')
  t.same(contents(reader, 'late'), ['x=1'])
  put(engine, 'late', 'x=2')
  t.equal(textOf(reader.get('late', bytes('x'))), '2')
  t.ok(reader.size().fileBytes > 0)
  await reader.close()
  put(engine, 'late', 'x=3')
  t.same(contents(engine, 'late'), ['x=3'])
  await engine.close()
})

t.test('other threads read while tables come and go, are rolled back, and are filled', async (t) => {
  const folder = join(t.testdir({}), 'store')
  const engine = openLmdbEngine(folder, small)
  put(engine, 'table.0', 'name=table.0')
  const done = new Int32Array(new SharedArrayBuffer(8))
  const workers = [0, 1].map(() => new Worker(READER, { workerData: { folder, done } }))
  const answers = workers.map(
    (worker) =>
      new Promise<unknown>((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      }),
  )
  while (Atomics.load(done, 1) < workers.length) await new Promise((resolve) => setImmediate(resolve))
  for (let number = 1; number < 60; number++) {
    const fail = (): void =>
      engine.commit((transaction) => {
        transaction.put(`lost.${number}`, bytes('name'), bytes(`lost.${number}`))
        throw new Error('on purpose')
      })
    t.throws(fail, { message: 'on purpose' })
    put(engine, `table.${number}`, `name=table.${number}`)
    Atomics.store(done, 0, number)
  }
  Atomics.store(done, 0, -1)
  for (const answer of await Promise.all(answers)) t.same(answer, { wrong: [], tables: 60 })
  await engine.close()
})

t.test('no thread opens a table while the writer is making one', async (t) => {
  const folder = join(t.testdir({}), 'store')
  const engine = openLmdbEngine(folder, small)
  const state = new Int32Array(new SharedArrayBuffer(12))
  const worker = new Worker(new URL('./waiting-reader.fixture.js', import.meta.url), { workerData: { folder, state } })
  while (Atomics.load(state, READY) === 0) await new Promise((resolve) => setImmediate(resolve))
  engine.commit((transaction) => {
    transaction.put('new', bytes('x'), bytes('1'))
    Atomics.store(state, GO, 1)
    Atomics.notify(state, GO)
    Atomics.wait(state, DONE, 0, 200)
    t.equal(Atomics.load(state, DONE), 0, 'it waits')
  })
  const [code] = await once(worker, 'exit')
  t.equal(code, 0)
  t.equal(Atomics.load(state, DONE), 1, 'and goes on')
  await engine.close()
})

t.test('another thread writes on when the writing thread has died', async (t) => {
  const folder = join(t.testdir({}), 'store')
  const committed = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(new URL('./dying-writer.fixture.js', import.meta.url), {
    workerData: { folder, committed },
  })
  while (Atomics.load(committed, 0) === 0) await new Promise((resolve) => setImmediate(resolve))
  const reader = openLmdbReader(folder)
  t.same(contents(reader, 'a'), ['x=1'])
  await worker.terminate()
  const next = openLmdbEngine(folder, small)
  put(next, 'b', 'y=2')
  t.same(contents(next, 'a'), ['x=1'])
  t.same(contents(reader, 'b'), ['y=2'])
  await reader.close()
  await next.close()
})

t.test('a thread is ended between transactions when its gate was shut before', async (t) => {
  const folder = join(t.testdir({}), 'store')
  for (let round = 0; round < 3; round++) {
    const gate = new WriteGate()
    const committed = new Int32Array(new SharedArrayBuffer(4))
    const workerData = { folder, committed, gate: gate.shared }
    const worker = new Worker(new URL('./dying-writer.fixture.js', import.meta.url), { workerData })
    worker.on('error', () => {}) // it is told that its gate is shut
    while (Atomics.load(committed, 0) < 20) await new Promise((resolve) => setImmediate(resolve))
    t.equal(gate.shut(10_000), true)
    await worker.terminate()
    const last = Atomics.load(committed, 0)
    const engine = openLmdbEngine(folder, small)
    const number = Number(textOf(engine.get('a', bytes('number'))))
    t.ok(number === last || number === last + 1, `${number} is there, ${last} was known to be`)
    t.match(checkStoreFile(join(folder, 'data.mdb')), { kind: 'sound' })
    await engine.close()
  }
})

const disk = smallDisk()
const noDisk = disk === undefined && 'to mount a file system takes rights that this user has not'

t.test('a full disk', { skip: noDisk }, async (t) => {
  const folder = disk ?? ''
  t.teardown(() => {
    execFileSync('umount', [folder])
    rmSync(folder, { recursive: true })
  })
  for (const reserveBytes of [1_048_576, 0]) {
    await t.test(`with ${reserveBytes} bytes kept free`, async (t) => {
      const engine = openLmdbEngine(join(folder, `store${reserveBytes}`), { bytesMax: 0, reserveBytes })
      const value = new Uint8Array(3_000).fill(1)
      const stored = new Set<number>()
      let next = 0
      const add = (): void => {
        engine.commit((transaction) => {
          for (let index = 0; index < 20; index++) transaction.put('a', bytes(`k${next + index}`), value)
        })
        for (let index = 0; index < 20; index++) stored.add(next++)
      }
      const fill = (): void => {
        for (;;) add()
      }
      t.throws(fill, { code: 'STORE_FULL' })
      t.throws(add, { code: 'STORE_FULL' })
      t.equal(engine.count('a'), stored.size)
      t.ok(stored.size > 500)
      for (let round = 0; round < 5 && reserveBytes > 0; round++) {
        const gone = [...stored].filter((number) => number % 5 === round)
        for (const number of gone) {
          engine.commit((transaction) => transaction.delete('a', bytes(`k${number}`)))
          stored.delete(number)
        }
        t.throws(fill, { code: 'STORE_FULL' }, 'room again, until it is full again')
        t.equal(engine.count('a'), stored.size)
      }
      const oneInTwo = [...stored].filter((number) => number % 2 === 0)
      for (const number of oneInTwo.slice(0, 200)) {
        engine.commit((transaction) => transaction.delete('a', bytes(`k${number}`)))
        stored.delete(number)
      }
      const noPlace = (): void =>
        engine.commit((transaction) => transaction.put('a', bytes('long'), new Uint8Array(reserveBytes + 200_000)))
      t.throws(noPlace, { code: 'STORE_FULL' }, 'room, but in small pieces: LMDB finds out when it writes')
      t.equal(engine.count('a'), stored.size)
      t.ok([...stored].every((number) => engine.get('a', bytes(`k${number}`))?.length === 3_000))
      t.match(checkStoreFile(join(folder, `store${reserveBytes}`, 'data.mdb')), { kind: 'sound' })
      await engine.close()
    })
    rmSync(join(folder, `store${reserveBytes}`), { recursive: true })
  }
})

const noShell = process.platform === 'win32' && 'there is no ulimit'

t.test('a limit of the process for the length of files', { skip: noShell }, async (t) => {
  const folder = join(t.testdir({}), 'store')
  const command = `ulimit -f 4096 && exec "$0" "$1" "$2"`
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command, process.execPath, FULL_DISK, folder], {
    encoding: 'utf8',
  })
  t.equal(status, 0, stderr)
  t.match(stdout, /full, 200 deleted, [1-9]\d* stored after/)
  const engine = openLmdbEngine(folder, small)
  engine.commit((transaction) => transaction.put('a', bytes('k'), new Uint8Array(3_000_000)))
  await engine.close()
})

/** @returns a folder on a disk of 12 MB; undefined where there are no rights to have one */
function smallDisk(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'merlot-disk-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', folder])
  if (status === 0) return folder
  rmSync(folder, { recursive: true })
  return undefined
}
