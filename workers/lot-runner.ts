/** A thread that executes Actions and Models: one batch at a time, as the LoT thread sends them. */
import { MessageChannel, parentPort, workerData } from 'node:worker_threads'
import { batchTask } from '../src/actors/batch-pool.js'
import type { RunnerResult, RunnerSetup, RunnerTask } from '../src/contracts/lot-batch.js'
import { isHeapFull } from '../src/lot-runner/heap.js'
import { OutsideCalls } from '../src/lot-runner/outside-calls.js'
import { Runner } from '../src/lot-runner/runner.js'

/** Longer than any service takes: an LLM may answer within 60 s. */
const SERVICE_MS_MAX = 60_000
const MARGIN_MS = 5_000
/** A batch that took less cannot have filled a heap, and looking takes microseconds. */
const LONG_MICROS = 5_000

const setup = workerData as RunnerSetup
const { python, lot } = setup.config
const calls = new MessageChannel()
calls.port1.unref()
const waitMsMax = Math.max(python.callMsMax, SERVICE_MS_MAX) + MARGIN_MS
const runner = new Runner(setup, new OutsideCalls(calls.port1, waitMsMax))
parentPort?.postMessage({ callPort: calls.port2 }, [calls.port2])

export default batchTask<RunnerTask, RunnerResult>((task) => {
  const result = runner.run(task)
  const isLast = result.micros > LONG_MICROS && isHeapFull(lot.heapBytesMax)
  return { result, transfer: [result.effects], isLast }
})
