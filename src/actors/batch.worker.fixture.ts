/** A task that tells in which thread it ran, and may be the last one there. */
import { threadId } from 'node:worker_threads'
import { batchTask } from './batch-pool.js'

export interface BatchFixtureTask {
  readonly isLast: boolean
}

export interface BatchFixtureResult {
  readonly threadId: number
  readonly bytes: ArrayBuffer
}

export default batchTask<BatchFixtureTask, BatchFixtureResult>(({ isLast }) => {
  const bytes = new Uint8Array([1, 2, 3]).buffer
  return { result: { threadId, bytes }, transfer: [bytes], isLast }
})
