/** Reads as fast as it can, and counts what nobody has written. */
import { parentPort, workerData } from 'node:worker_threads'
import { SharedValuesReader } from './shared-values.js'

const { memory, state, names } = workerData as {
  memory: SharedArrayBuffer
  state: SharedArrayBuffer
  names: readonly string[]
}
const words = new Int32Array(state)
const reader = new SharedValuesReader(memory)
let reads = 0
let found = 0
let torn = 0
Atomics.store(words, 1, 1)
while (Atomics.load(words, 0) === 0) {
  const value = reader.get(names[(reads++ * 17) % names.length])
  if (value === undefined) continue
  found++
  const isWhole =
    value.length >= 4 &&
    new DataView(value.buffer, value.byteOffset).getInt32(0) === value.length &&
    value.subarray(4).every((byte) => byte === value[4])
  if (!isWhole) torn++
}
parentPort?.postMessage({ reads, found, torn })
