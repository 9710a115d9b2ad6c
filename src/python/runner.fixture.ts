/** A runner as far as its calls go: makes the calls that it is told to, one after the other, and tells the answers. */
import { MessageChannel, parentPort, workerData } from 'node:worker_threads'
import type { OutsideCall } from '../lot/program.js'
import { OutsideCalls } from '../lot-runner/outside-calls.js'

export interface RunnerOrder {
  readonly call: OutsideCall
  readonly times: number
}

/** Of the last call. */
export interface RunnerReport {
  readonly text: string
  readonly failed: boolean
  readonly elapsedMs: number
}

const { waitMsMax } = workerData as { readonly waitMsMax: number }
const { port1, port2 } = new MessageChannel()
const calls = new OutsideCalls(port1, waitMsMax)
parentPort?.postMessage({ callPort: port2 }, [port2])
parentPort?.on('message', (order: RunnerOrder) => parentPort?.postMessage(perform(order)))

function perform({ call, times }: RunnerOrder): RunnerReport {
  const startMs = performance.now()
  let text = ''
  let failed = false
  for (let done = 0; done < times && !failed; done++) {
    try {
      text = calls.call(call)
    } catch (thrown) {
      failed = true
      text = thrown instanceof Error ? thrown.message : String(thrown)
    }
  }
  return { text, failed, elapsedMs: performance.now() - startMs }
}
