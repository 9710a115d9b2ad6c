/** Whether the memory of the attacked process came back. */
import { setTimeout as wait } from 'node:timers/promises'
import { usageOf } from '../load/process-usage.js'

const SAMPLES = 40
const BETWEEN_MS = 250

/** Bytes; undefined where the system does not tell. */
export function memoryOf(pid: number): number | undefined {
  return usageOf(pid)?.memoryBytes
}

/**
 * Collecting garbage is the business of the other process, so its memory is looked at until it fits or 10 s are over.
 * @param beforeBytes before the attacks @returns growth in bytes that stayed
 */
export async function growthAfter(pid: number, beforeBytes: number, allowedBytes: number): Promise<number> {
  let growth = 0
  for (let sample = 0; sample < SAMPLES; sample++) {
    growth = (memoryOf(pid) ?? 0) - beforeBytes
    if (growth <= allowedBytes) break
    await wait(BETWEEN_MS)
  }
  return growth
}
