/** For tests: a connection thread as ever, that can be made to fail. */
import { BroadcastChannel } from 'node:worker_threads'
import type { ConnectionTask } from '../../src/contracts/threads.js'
import runConnection from '../../workers/connection.js'

/** Whoever posts the index of a thread here makes that thread throw where nobody catches it. */
export const MORTALITY = 'merlot test: connection thread to fail'

export default async function run(task: ConnectionTask): Promise<void> {
  const orders = new BroadcastChannel(MORTALITY)
  orders.onmessage = (event) => {
    if ((event as { readonly data: unknown }).data === task.index) throw new Error('told to fail')
  }
  await runConnection(task)
  orders.close()
}
