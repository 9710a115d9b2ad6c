/** A thread that opens a table when it is told to, and says when that is done. */
import { workerData } from 'node:worker_threads'
import { openLmdbReader } from './lmdb-engine.js'

const [READY, GO, DONE] = [0, 1, 2]
const { folder, state } = workerData as { readonly folder: string; readonly state: Int32Array }
const reader = openLmdbReader(folder)
Atomics.store(state, READY, 1)
Atomics.wait(state, GO, 0)
reader.count('other')
Atomics.store(state, DONE, 1)
Atomics.notify(state, DONE)
await reader.close()
