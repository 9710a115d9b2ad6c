/** Whether what was published is what was expected, and if not, what differs. */
import { isDeepStrictEqual } from 'node:util'
import type { Effect } from '../lot/program.js'
import { payloadText } from '../lot-runner/reports.js'
import { messageText } from './event-text.js'
import type { Expected } from './test-file.js'

export type PublishedEffect = Extract<Effect, { kind: 'publish' }>

export interface Comparing {
  readonly order: 'exact' | 'any'
  readonly others: 'forbidden' | 'allowed'
}

/**
 * @returns lines that begin with `-` for what did not come and with `+` for what came and was not expected; all that came
 *   as expected begin with a blank. Empty if nothing differs.
 */
export function compareMessages(
  expected: readonly Expected[],
  actual: readonly PublishedEffect[],
  { order, others }: Comparing,
): string[] {
  const pairs = order === 'exact' ? pairInOrder(expected, actual) : pairInAnyOrder(expected, actual)
  const met = new Set(pairs.values())
  const lines: string[] = []
  let differs = false
  let next = 0
  const tellUnexpected = (until: number): void => {
    for (; next < until; next++) {
      if (met.has(next)) continue
      differs ||= others === 'forbidden'
      lines.push(`+ ${messageText(actual[next])}`)
    }
  }
  expected.forEach((one, index) => {
    const found = pairs.get(index)
    if (found === undefined) {
      differs = true
      lines.push(`- ${expectedText(one)}`)
      return
    }
    if (order === 'exact') {
      tellUnexpected(found)
      next = found + 1
    }
    lines.push(`  ${messageText(actual[found])}`)
  })
  tellUnexpected(actual.length)
  return differs ? lines : []
}

/** The longest common subsequence, so that one message that is missing does not spoil those behind it. */
function pairInOrder(expected: readonly Expected[], actual: readonly PublishedEffect[]): Map<number, number> {
  const width = actual.length + 1
  const lengths = new Uint32Array((expected.length + 1) * width)
  const fits = expected.map((one) => actual.map((message) => isMet(one, message)))
  for (let i = expected.length - 1; i >= 0; i--) {
    for (let j = actual.length - 1; j >= 0; j--) {
      const skip = Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1])
      lengths[i * width + j] = fits[i][j] ? lengths[(i + 1) * width + j + 1] + 1 : skip
    }
  }
  const pairs = new Map<number, number>()
  for (let i = 0, j = 0; i < expected.length && j < actual.length; ) {
    if (fits[i][j]) pairs.set(i++, j++)
    else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i++
    else j++
  }
  return pairs
}

function pairInAnyOrder(expected: readonly Expected[], actual: readonly PublishedEffect[]): Map<number, number> {
  const pairs = new Map<number, number>()
  const taken = new Set<number>()
  expected.forEach((one, index) => {
    const found = actual.findIndex((message, at) => !taken.has(at) && isMet(one, message))
    if (found < 0) return
    taken.add(found)
    pairs.set(index, found)
  })
  return pairs
}

function isMet(expected: Expected, { topic, payload, qos, retain }: PublishedEffect): boolean {
  if (expected.topic !== topic) return false
  if (expected.qos !== undefined && expected.qos !== qos) return false
  if (expected.retain !== undefined && expected.retain !== retain) return false
  const text = payloadText(payload)
  if (expected.json !== undefined) return isDeepStrictEqual(jsonOf(text), expected.json)
  if (expected.includes !== undefined) return includes(jsonOf(text), expected.includes)
  if (expected.matches !== undefined) return new RegExp(expected.matches).test(text)
  return expected.payload === undefined || payloadIs(text, expected.payload)
}

/** Text is compared as it is, numbers by their value, anything else as JSON. */
export function payloadIs(text: string, expected: unknown): boolean {
  if (typeof expected === 'string') return text === expected
  if (typeof expected === 'number') return text.trim() !== '' && Number(text) === expected
  return isDeepStrictEqual(jsonOf(text), expected)
}

/** Objects may have more fields than expected. */
function includes(actual: unknown, expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) {
    return isDeepStrictEqual(actual, expected)
  }
  if (typeof actual !== 'object' || actual === null) return false
  const fields = actual as Readonly<Record<string, unknown>>
  return Object.entries(expected).every(([key, value]) => Object.hasOwn(fields, key) && includes(fields[key], value))
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function expectedText({ topic, payload, json, includes, matches, retain, qos }: Expected): string {
  const flags = [
    retain === undefined ? '' : retain ? 'retained' : 'not retained',
    qos === undefined ? '' : `QoS ${qos}`,
  ].filter((flag) => flag !== '')
  return [topic, expectedPayload(), flags.length === 0 ? '' : `(${flags.join(', ')})`]
    .filter((part) => part !== '')
    .join(' ')

  function expectedPayload(): string {
    if (matches !== undefined) return `matching /${matches}/`
    if (includes !== undefined) return `with ${JSON.stringify(includes)}`
    if (json !== undefined) return `JSON ${JSON.stringify(json)}`
    if (payload === undefined) return ''
    return JSON.stringify(typeof payload === 'string' ? payload : JSON.stringify(payload))
  }
}
