/** Runs recorded traffic through two versions of the same entities, side by side, and tells what differs. */
import { payloadText } from '../lot-runner/reports.js'
import type { PublishedEffect } from './compare.js'
import { eventText, messageText } from './event-text.js'
import type { RecordedMessage } from './recording.js'
import type { AnswerCall } from './simulated-world.js'
import { type SimulatedEvent, Simulator } from './simulator.js'

/** Messages of its own that a version may find in the recording later; beyond it the oldest are forgotten. */
const OWN_MAX = 10_000

export interface ReplayTask {
  readonly compat: 'v1' | 'v2'
  readonly next: ReplayedVersion
  /** What it is compared with; without it everything is new. */
  readonly against: ReplayedVersion | undefined
  /** Whether messages on a topic take part. */
  readonly isInput: (topic: string) => boolean
}

export interface ReplayedVersion {
  readonly deploy: (simulator: Simulator) => void
  /** Python, models and other services. */
  readonly answer: AnswerCall
}

/** What one message, or the timers before it, brought about. */
export interface ReplayStep {
  readonly atMs: number
  /** undefined for timers. */
  readonly message: RecordedMessage | undefined
  /** Lines that begin with `+` for what only the new version does, `-` for what only the other does, `~` for both. */
  readonly differences: readonly string[]
}

export class Replay {
  /** Recorded messages that were given to the entities. */
  replayed = 0
  /** Those that were not: other topics, and what the entities had published themselves. */
  leftOut = 0
  #next: Side | undefined
  #against: Side | undefined
  /** What the older version published and the recording has not shown yet. */
  readonly #own: string[] = []

  constructor(readonly task: ReplayTask) {}

  /** @param message later than the one before @returns steps in which something differs */
  take(message: RecordedMessage): ReplayStep[] {
    this.#next ??= new Side(this.task.compat, message.atMs, this.task.next)
    if (this.task.against !== undefined) {
      this.#against ??= new Side(this.task.compat, message.atMs, this.task.against)
    }
    const { atMs, topic, payload, retain } = message
    if (!this.task.isInput(topic) || this.#isOwn(message)) {
      this.leftOut++
      return []
    }
    this.replayed++
    const timers = this.#step(atMs, undefined, (simulator) => simulator.advanceTo(atMs))
    const caused = this.#step(atMs, message, (simulator) => {
      if (retain) simulator.world.values.set(topic, payload)
      else simulator.publish(topic, payload)
    })
    return [...timers, ...caused]
  }

  #step(atMs: number, message: RecordedMessage | undefined, act: (simulator: Simulator) => void): ReplayStep[] {
    const next = this.#next?.collect(act) ?? []
    const against = this.#against?.collect(act) ?? []
    for (const event of this.#against === undefined ? next : against) this.#remember(event)
    const differences = compareEvents(next, against)
    return differences.length === 0 ? [] : [{ atMs, message, differences }]
  }

  #remember(event: SimulatedEvent): void {
    if (event.kind !== 'effect' || event.effect.kind !== 'publish') return
    this.#own.push(ownKey(event.effect))
    if (this.#own.length > OWN_MAX) this.#own.shift()
  }

  #isOwn(message: RecordedMessage): boolean {
    const at = this.#own.indexOf(ownKey(message))
    if (at < 0) return false
    this.#own.splice(at, 1)
    return true
  }
}

function ownKey({ topic, payload }: Pick<RecordedMessage, 'topic' | 'payload'>): string {
  return `${topic}\u0000${payloadText(payload)}`
}

class Side {
  readonly #simulator: Simulator
  #events: SimulatedEvent[] = []

  constructor(compat: 'v1' | 'v2', startMs: number, { deploy, answer }: ReplayedVersion) {
    this.#simulator = new Simulator({
      compat,
      startMs,
      seed: 1,
      answer,
      onEvent: (event) => this.#events.push(event),
    })
    deploy(this.#simulator)
  }

  collect(act: (simulator: Simulator) => void): SimulatedEvent[] {
    this.#events = []
    act(this.#simulator)
    return this.#events
  }
}

/** Topic by topic, in the order in which the topics come. */
function compareEvents(next: readonly SimulatedEvent[], against: readonly SimulatedEvent[]): string[] {
  const newMessages = byTopic(next)
  const oldMessages = byTopic(against)
  const lines: string[] = []
  for (const topic of new Set([...newMessages.keys(), ...oldMessages.keys()])) {
    lines.push(...compareTopic(newMessages.get(topic) ?? [], oldMessages.get(topic) ?? []))
  }
  const newFailures = failuresOf(next)
  const oldFailures = failuresOf(against)
  lines.push(...newFailures.filter((text) => !oldFailures.includes(text)).map((text) => `+ ${text}`))
  lines.push(...oldFailures.filter((text) => !newFailures.includes(text)).map((text) => `- ${text}`))
  return lines
}

function compareTopic(next: readonly PublishedEffect[], against: readonly PublishedEffect[]): string[] {
  const lines: string[] = []
  for (let i = 0; i < Math.max(next.length, against.length); i++) {
    const [now, before] = [next[i], against[i]]
    if (before === undefined) lines.push(`+ ${messageText(now)}`)
    else if (now === undefined) lines.push(`- ${messageText(before)}`)
    else if (messageText(now) !== messageText(before))
      lines.push(`~ ${messageText(before)} becomes ${messageText(now)}`)
  }
  return lines
}

function byTopic(events: readonly SimulatedEvent[]): Map<string, PublishedEffect[]> {
  const messages = new Map<string, PublishedEffect[]>()
  for (const event of events) {
    if (event.kind !== 'effect' || event.effect.kind !== 'publish') continue
    const { topic } = event.effect
    const known = messages.get(topic)
    if (known === undefined) messages.set(topic, [event.effect])
    else known.push(event.effect)
  }
  return messages
}

function failuresOf(events: readonly SimulatedEvent[]): string[] {
  return events.filter(({ kind }) => kind === 'failure').map(eventText)
}
