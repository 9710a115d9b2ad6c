/** A thread that commits until it is ended; without a gate only once. */
import { workerData } from 'node:worker_threads'
import { WriteGate } from '../src/base/write-gate.js'
import { put } from './engine-cases.fixture.js'
import { openLmdbEngine } from './lmdb-engine.js'

const { folder, committed, gate } = workerData as {
  readonly folder: string
  readonly committed: Int32Array
  readonly gate?: SharedArrayBuffer
}
const engine = openLmdbEngine(folder, { bytesMax: 0, reserveBytes: 0, gate: new WriteGate(gate) })
put(engine, 'a', 'x=1')
Atomics.store(committed, 0, 1)
while (gate !== undefined) {
  const number = Atomics.load(committed, 0) + 1
  engine.commit((transaction) => {
    // most of the time is spent where the thread must not be ended
    for (let turn = 0; turn < 500; turn++) transaction.put('a', Buffer.from('number'), Buffer.from(String(number)))
  })
  Atomics.store(committed, 0, number)
}
setInterval(() => {}, 1_000)
