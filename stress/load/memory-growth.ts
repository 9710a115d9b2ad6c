import { growthOver, median, type Point } from './trend.js'

/** How a series of memory samples was judged. */
export interface MemoryVerdict {
  /** Growth over the span of the samples by the Theil–Sen estimate; negative when it shrank. */
  readonly growthBytes: number
  readonly allowedBytes: number
  readonly isFlat: boolean
}

const ALLOWED_BYTES = 16 * 1_048_576
const ALLOWED_SHARE = 0.05

/**
 * Memory is flat when its trend over the whole span amounts to no more than 16 MiB or 5 % of its median, whichever is
 * more: less than that is how heaps breathe, and more of it shows the longer one watches.
 * @param samples in bytes, without the warm-up
 */
export function judgeMemory(samples: readonly Point[]): MemoryVerdict {
  const allowedBytes = Math.max(ALLOWED_BYTES, ALLOWED_SHARE * median(samples.map(({ value }) => value)))
  const growthBytes = Math.round(growthOver(samples))
  return { growthBytes, allowedBytes: Math.round(allowedBytes), isFlat: growthBytes <= allowedBytes }
}
