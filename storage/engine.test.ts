import { join } from 'node:path'
import t from 'tap'
import { engineCases } from './engine-cases.fixture.js'
import { openLmdbEngine } from './lmdb-engine.js'
import { MemoryEngine } from './memory-engine.js'

t.test('in memory', async (t) => {
  await engineCases(t, (bytesMax) => new MemoryEngine({ bytesMax }))
})

t.test('in LMDB', async (t) => {
  const folder = t.testdir({})
  let opened = 0
  await engineCases(t, (bytesMax) => openLmdbEngine(join(folder, String(opened++)), { bytesMax, reserveBytes: 65_536 }))
})
