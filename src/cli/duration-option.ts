/** Spans of time as options. */
import { parseDuration } from '../lot-simulator/duration.js'
import { wrongUsage } from './exit.js'

/**
 * @param remedy what may be written
 * @returns milliseconds. @throws CommandError for text that is no span of time
 */
export function durationOf(text: string | undefined, remedy = 'write "90 seconds" or "2 hours"'): number | undefined {
  if (text === undefined) return undefined
  const ms = parseDuration(text)
  if (ms === undefined) throw wrongUsage(`"${text}" is not a time`, remedy)
  return ms
}
