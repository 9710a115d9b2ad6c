/** Whether this thread is so full that the next run might die of what the one before left behind. */
import { getHeapSpaceStatistics } from 'node:v8'

/** Of the limit. V8 kills a thread that reaches it, though most of what is there may be garbage. */
const FULL_SHARE = 0.75
/** What the limit does not count. */
const OTHER_SPACES: ReadonlySet<string> = new Set(['new_space', 'read_only_space'])

/** @param heapBytesMax the limit that the thread was started with */
export function isHeapFull(heapBytesMax: number): boolean {
  let bytes = 0
  for (const { space_name: name, space_used_size: used } of getHeapSpaceStatistics()) {
    if (!OTHER_SPACES.has(name)) bytes += used
  }
  return bytes > heapBytesMax * FULL_SHARE
}
