/** Adds to shared counts as often as it can within a limit, and takes back what is too much. */
import { parentPort, workerData } from 'node:worker_threads'
import { SharedCounts } from './shared-counts.js'

const { memory, part, limit, turns } = workerData as {
  memory: SharedArrayBuffer
  part: number
  limit: number
  turns: number
}
const counts = new SharedCounts(memory, part)
let admitted = 0
let exceeded = 0
for (let turn = 0; turn < turns; turn++) {
  counts.add(`other ${turn % 100}`, 1) // places come and go
  const sum = counts.add('limited', 1) ?? Number.POSITIVE_INFINITY
  if (sum > limit) counts.add('limited', -1)
  else admitted++
  if (counts.get('limited') > limit + 4) exceeded++ // four threads, each may be about to take one back
  counts.add(`other ${turn % 100}`, -1)
}
parentPort?.postMessage({ admitted, exceeded })
