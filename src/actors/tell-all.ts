/** Calls to several threads, any of which may die meanwhile. */
import type { RunningThread } from './thread-pool.js'

/**
 * Calls threads side by side. One that dies meanwhile is not missed: it is started anew with what it would be told.
 * @throws what the first of those that live has thrown, when all have answered
 */
export async function tellAll<Api extends object>(
  threads: readonly RunningThread<Api>[],
  call: (thread: RunningThread<Api>, index: number) => Promise<unknown>,
): Promise<void> {
  const calls = threads.map(async (thread, index) => {
    try {
      await call(thread, index)
    } catch (cause) {
      if (!(await hasEnded(thread))) throw cause
    }
  })
  await allOf(calls)
}

/** Settles when all of them have settled. @throws what the first of those that fail has thrown */
export async function allOf(works: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(works)) if (outcome.status === 'rejected') throw outcome.reason
}

/** Whether it is known by now that it has ended. */
export function hasEnded({ ended }: { readonly ended: Promise<void> }): Promise<boolean> {
  const known = ended.then(
    () => true,
    () => true,
  )
  return Promise.race([known, new Promise<boolean>((resolve) => setImmediate(resolve, false))])
}
