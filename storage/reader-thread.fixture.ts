/** A thread that reads all tables again and again while another makes them; each holds its own name. */
import { parentPort, workerData } from 'node:worker_threads'
import { bytes, textOf } from './engine-cases.fixture.js'
import { openLmdbReader } from './lmdb-engine.js'

const { folder, done } = workerData as { readonly folder: string; readonly done: Int32Array }
const reader = openLmdbReader(folder)
const wrong: string[] = []
Atomics.add(done, 1, 1)
for (let last = 0; last !== -1; ) {
  last = Atomics.load(done, 0)
  const newest = Math.max(last, 0)
  if (textOf(reader.get(`table.${newest}`, bytes('name'))) !== `table.${newest}`)
    wrong.push(`table.${newest} is missing`)
  if (reader.get(`lost.${newest}`, bytes('name')) !== undefined) wrong.push(`lost.${newest} is there`)
  for (const name of reader.tables) {
    const found = textOf(reader.get(name, bytes('name')))
    if (found !== name) wrong.push(`${name} holds ${found}`)
  }
}
parentPort?.postMessage({ wrong: wrong.slice(0, 10), tables: reader.tables.length })
await reader.close()
