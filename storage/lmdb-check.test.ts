import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { bytes } from './engine-cases.fixture.js'
import { checkStoreFile } from './lmdb-check.js'
import { openLmdbEngine } from './lmdb-engine.js'
import { readRoots } from './lmdb-roots.js'

const PAGE_BYTES = 4_096

t.test('what LMDB writes is sound, whatever was done, and its pages are accounted for', async (t) => {
  const folder = join(t.testdir({}), 'store')
  const path = join(folder, 'data.mdb')
  let engine = openLmdbEngine(folder, { bytesMax: 0, reserveBytes: 65_536 })
  const step = fc.record({
    table: fc.constantFrom('a', 'b', 'c'),
    key: fc.nat(400),
    count: fc.integer({ min: 1, max: 60 }),
    valueBytes: fc.oneof(fc.nat(600), fc.nat(600), fc.nat(30_000)),
    isDelete: fc.boolean(),
  })
  const transaction = fc.record({ steps: fc.array(step, { maxLength: 6 }), fails: fc.nat(4).map((n) => n === 0) })
  for (const { steps, fails } of fc.sample(transaction, { numRuns: 150, seed: 7 })) {
    try {
      engine.commit((tx) => {
        for (const { table, key, count, valueBytes, isDelete } of steps) {
          for (let number = key; number < key + count; number++) {
            if (isDelete) tx.delete(table, bytes(`k${number}`))
            else tx.put(table, bytes(`k${number}`), new Uint8Array(valueBytes))
          }
        }
        if (fails) throw new RangeError('on purpose')
      })
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
  }
  const counts = engine.tables.reduce((sum, table) => sum + engine.count(table), 0)
  await engine.close()
  const result = checkStoreFile(path)
  t.match(result, { kind: 'sound', tables: 3, entries: counts })
  const roots = readRoots(path)
  if (result.kind === 'sound' && roots.kind === 'good') {
    t.equal(result.pagesUsed + result.pagesFree, roots.root.lastPage + 1, 'no page is lost')
  }
  engine = openLmdbEngine(folder, { bytesMax: 0 })
  await engine.close()
})

t.test('each kind of damage is found', async (t) => {
  const folder = join(t.testdir({}), 'store')
  const path = join(folder, 'data.mdb')
  const engine = openLmdbEngine(folder, { bytesMax: 0, reserveBytes: 65_536 })
  for (let turn = 0; turn < 3; turn++) {
    engine.commit((tx) => {
      for (let number = 0; number < 300; number++) tx.put('a', bytes(`key${number}`), new Uint8Array(100))
      tx.put('a', bytes('big'), new Uint8Array(10_000))
    })
  }
  await engine.close()
  const good = readFileSync(path)
  const roots = readRoots(path)
  if (roots.kind === 'damaged') throw new Error(roots.reason)
  const { transaction } = roots.root
  const newest = (flags: number): number => {
    for (let page = 2; ; page++) {
      const at = page * PAGE_BYTES
      const isNewest = good.readUInt32LE(at + 8) === transaction
      if (isNewest && good.readUInt16LE(at + 18) === flags && !isFreeOrRoot(at)) return at
    }
  }
  const isFreeOrRoot = (at: number): boolean =>
    [roots.root.freeList.page, roots.root.tables.page].includes(at / PAGE_BYTES)
  const [branch, leaf, overflow] = [newest(1), newest(2), newest(4)]
  const node = leaf + 24 + good.readUInt16LE(leaf + 26) // the second, whose value is in the page
  const damages: readonly [RegExp, (file: Buffer) => void][] = [
    [/calls itself another/, (file) => file.writeUInt32LE(9_999, leaf)],
    [/from the future/, (file) => file.writeUInt32LE(transaction + 1, leaf + 8)],
    [/of another kind/, (file) => file.writeUInt16LE(4, leaf + 18)],
    [/of another kind/, (file) => file.writeUInt16LE(2, overflow + 18)],
    [/of another kind/, (file) => file.writeUInt32LE(1, overflow + 20)],
    [/bounds/, (file) => file.writeUInt16LE(65_535, leaf + 20)],
    [/bounds/, (file) => file.writeUInt16LE(0, leaf + 20)],
    [/outside itself/, (file) => file.writeUInt16LE(4_095, leaf + 24)],
    [/outside itself/, (file) => file.writeUInt16LE(60_000, node + 6)],
    [/longer than itself/, (file) => file.writeUInt32LE(50_000, node)],
    [/makes no sense/, (file) => file.writeUInt16LE(8, node + 4)],
    [/holds a table/, (file) => file.writeUInt16LE(2, node + 4)],
    [/out of order/, (file) => file.writeUInt8(255, node + 8)],
    [/refers to page/, (file) => file.writeUInt32LE(9_999_999, branch + 24 + good.readUInt16LE(branch + 24))],
    [/a second time/, (file) => file.copy(file, nodeOf(branch, 0), nodeOf(branch, 1), nodeOf(branch, 1) + 6)],
    [/beyond the end/, () => {}],
  ]
  const nodeOf = (page: number, index: number): number => page + 24 + good.readUInt16LE(page + 24 + 2 * index)
  for (const [reason, damage] of damages) {
    const file = Buffer.from(good)
    damage(file)
    writeFileSync(path, String(reason) === '/beyond the end/' ? file.subarray(0, 3 * PAGE_BYTES) : file)
    t.match(checkStoreFile(path), { kind: 'damaged', reason }, String(reason))
  }
  writeFileSync(path, good)
  t.match(checkStoreFile(path), { kind: 'sound', tables: 1, entries: 301 })
})

t.test('tells how far it is', async (t) => {
  const folder = join(t.testdir({}), 'store')
  const engine = openLmdbEngine(folder, { bytesMax: 0, reserveBytes: 0 })
  engine.commit((tx) => tx.put('a', bytes('big'), new Uint8Array(40_000_000)))
  await engine.close()
  const shares: number[] = []
  checkStoreFile(join(folder, 'data.mdb'), (share) => shares.push(share))
  t.ok(shares.length > 0 && shares.every((share) => share > 0 && share <= 1), String(shares))
})
