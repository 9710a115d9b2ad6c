/** An action or model that is deployed, as the LoT thread holds it. */
import type { EntityRef } from '../contracts/lot.js'
import { Instance } from './instance.js'
import { Mailbox, type MailboxTotal } from './mailbox.js'
import type { Plan } from './plan.js'

/** Instances that one model may have. */
export const INSTANCES_MAX = 100_000
/** Topics whose last payload ON CHANGE remembers, for one action; those seen first are forgotten first. */
const CHANGE_TOPICS_MAX = 100_000

/** A publisher that is told once every mailbox that its message went to has room again. */
export interface HeldAnswer {
  readonly shard: number
  readonly number: number
  /** Mailboxes that are still full. */
  waiting: number
}

export class Entity {
  readonly mailbox: Mailbox
  readonly instances = new Map<string, Instance>()
  readonly held: HeldAnswer[] = []
  /** Changes when its topics do: what was meant for the old ones is not for the new ones. */
  inputsVersion = 0
  /** When its last batch was done, of `performance.now()`, and how many followed one upon the other. */
  landedMs = 0
  streak = 0
  /** Waits in the dispatcher's queue. */
  isQueued = false
  isInFlight = false
  isRemoved = false
  /** A run that no message made waits already: timers do not pile up. */
  hasMoment = false
  /** Why it does not run any more. */
  stopped: string | undefined = undefined
  /** It will be stopped for this, once events that came before have run. */
  harm: string | undefined = undefined
  runs = 0
  failures = 0
  dropped = 0
  micros = 0
  lastRunMs: number | undefined = undefined
  lastError: string | undefined = undefined
  /** Threads that died while they ran its event at hand. */
  deaths = 0
  readonly #changes = new Map<string, Uint8Array>()

  constructor(
    readonly ref: EntityRef,
    public source: string,
    public plan: Plan,
    /** Of its text in the book. */
    public generation: number,
    total: MailboxTotal,
  ) {
    this.mailbox = new Mailbox(total)
  }

  get topicBase(): string {
    return `$SYS/Coreflux/${this.ref.kind === 'action' ? 'Actions' : 'Models'}/${this.ref.name}`
  }

  get mayRun(): boolean {
    return this.stopped === undefined && !this.isRemoved
  }

  /** Of what comes, it only keeps messages with QoS 1 or 2, for the time when it is deployed anew. */
  get isClosed(): boolean {
    return this.stopped !== undefined || this.harm !== undefined
  }

  /** @returns undefined if there are too many already */
  instance(captures: readonly string[], nextId: () => number): Instance | undefined {
    const key = captures.join('/')
    let instance = this.instances.get(key)
    if (instance === undefined) {
      if (this.instances.size >= INSTANCES_MAX) return undefined
      instance = new Instance(nextId(), captures)
      this.instances.set(key, instance)
    }
    return instance
  }

  /** For ON CHANGE. @returns whether the payload differs from the last one on this topic */
  isChange(topic: string, bytes: Uint8Array, at: number, length: number): boolean {
    const last = this.#changes.get(topic)
    if (last !== undefined && last.length === length && sameBytes(last, bytes, at)) return false
    if (last === undefined && this.#changes.size >= CHANGE_TOPICS_MAX) {
      const [oldest] = this.#changes.keys()
      this.#changes.delete(oldest)
    }
    this.#changes.set(topic, bytes.slice(at, at + length))
    return true
  }

  /** Deployed anew: what it remembered is gone; what waits for it stays. */
  forget(): void {
    this.#changes.clear()
    this.stopped = undefined
    this.harm = undefined
    this.lastError = undefined
    this.deaths = 0
    for (const instance of this.instances.values()) {
      instance.state = undefined
      instance.version++
    }
  }
}

function sameBytes(last: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < last.length; i++) if (last[i] !== bytes[at + i]) return false
  return true
}
