import type { Ledger } from './ledger.js'
import { decodeMessage } from './message.js'
import { clears } from './publisher.js'
import { type Publish, SessionClient, type SessionRole, type Site } from './session-client.js'
import type { Stream } from './stream.js'

const ANSWER_MS = 5_000
const STEP_MS = 10
/** For values that need not be there, after all that must be have come. */
const GRACE_MS = 50

/** What a topic may hold: any message from the last complete one to the last one sent. */
interface Bounds {
  readonly stream: Stream
  readonly lower: number
}

/**
 * Reads all retained values with a client that was never there before, and judges them.
 * To be called while nobody publishes retained values. @param signal ends it without a judgement
 * @returns whether the check took place
 */
export async function checkRetained(
  streams: readonly Stream[],
  filter: string,
  ledger: Ledger,
  site: Site,
  signal: AbortSignal,
): Promise<boolean> {
  const bounds = streams.map((stream) => ({ stream, lower: stream.lastComplete() }))
  const reader = new RetainedReader()
  const traits = { clientId: 'retained-reader', version: 5, isPersistent: false, receiveMaximum: 1_000 } as const
  const client = new SessionClient(traits, site, reader)
  client.join()
  try {
    const connections = await until(() => client.isConnected, signal)
    if (!connections || !(await client.subscribe(filter, 0))) return false
    const mayEnd = (): boolean => !client.isConnected || bounds.every((bound) => isSettled(bound, reader.values))
    await until(mayEnd, signal)
    await until(() => !client.isConnected, signal, GRACE_MS)
    if (!client.isConnected || signal.aborted) return false
  } finally {
    client.leave()
  }
  for (const bound of bounds) judgeRetained(bound, reader.values.get(bound.stream.topic), ledger)
  return true
}

/** @param payload what the topic holds, if anything */
export function judgeRetained({ stream, lower }: Bounds, payload: Uint8Array | undefined, ledger: Ledger): void {
  const { violations } = ledger
  const should = lower < 0 ? 'nothing is acknowledged' : `#${lower} is acknowledged${clears(lower) ? ' and empty' : ''}`
  if (payload === undefined) {
    if (mayBeEmpty({ stream, lower })) return
    violations.add('retained', `${stream.topic}: no value, but ${should}`)
    return
  }
  const stamp = decodeMessage(payload)
  if (stamp !== undefined && stamp.stream === stream.id && stamp.sequence >= lower && stamp.sequence < stream.next)
    return
  const found = stamp === undefined ? `${payload.length} foreign bytes` : `#${stamp.sequence}`
  violations.add('retained', `${stream.topic}: holds ${found}, but ${should}`)
}

/** Whether nothing was ever kept, or one of the messages that may be the last one took the value away. */
function mayBeEmpty({ stream, lower }: Bounds): boolean {
  if (lower < 0) return true
  for (let sequence = lower; sequence < stream.next; sequence++) if (clears(sequence)) return true
  return false
}

function isSettled(bound: Bounds, values: ReadonlyMap<string, Uint8Array>): boolean {
  return values.has(bound.stream.topic) || mayBeEmpty(bound)
}

class RetainedReader implements SessionRole {
  readonly values = new Map<string, Uint8Array>()

  onConnected(): void {}

  onPublish({ topic, payload, retain }: Publish): void {
    if (retain) this.values.set(topic, payload)
  }

  onAck(): void {}
}

async function until(condition: () => boolean, signal: AbortSignal, limitMs = ANSWER_MS): Promise<boolean> {
  const endMs = performance.now() + limitMs
  while (!condition() && !signal.aborted && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, STEP_MS))
  }
  return condition()
}
