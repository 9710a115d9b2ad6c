/** A thread that executes Actions and Models: one batch at a time, as the LoT thread sends them. */
import { MessageChannel, parentPort, workerData } from 'node:worker_threads'
import { movable } from '../src/actors/batch-pool.js'
import type { RunnerResult, RunnerSetup, RunnerTask } from '../src/contracts/lot-batch.js'
import { OutsideCalls } from '../src/lot-runner/outside-calls.js'
import { Runner } from '../src/lot-runner/runner.js'

/** Longer than any service takes: an LLM may answer within 60 s. */
const SERVICE_MS_MAX = 60_000
const MARGIN_MS = 5_000

const setup = workerData as RunnerSetup
const calls = new MessageChannel()
calls.port1.unref()
const waitMsMax = Math.max(setup.config.python.callMsMax, SERVICE_MS_MAX) + MARGIN_MS
const runner = new Runner(setup, new OutsideCalls(calls.port1, waitMsMax))
parentPort?.postMessage({ callPort: calls.port2 }, [calls.port2])

export default function run(task: RunnerTask): RunnerResult {
  const result = runner.run(task)
  return movable(result, [result.effects])
}
