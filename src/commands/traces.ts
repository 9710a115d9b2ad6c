/** Which actions are traced, and until when. */
import type { Clock } from '../base/clock.js'

/** How long a trace stays armed. */
const ARMED_MS = 300_000

/** Stands for all actions. */
export const ALL_ACTIONS = 'all'

export class Traces {
  readonly #expiries = new Map<string, number>()

  /** @param arm tells the LoT thread; undefined means all actions, 0 ends it */
  constructor(
    private readonly clock: Clock,
    private readonly arm: (action: string | undefined, untilMs: number) => Promise<void>,
  ) {}

  /** @param action a name, or `ALL_ACTIONS` @returns when it ends */
  async add(action: string): Promise<number> {
    const expiryMs = this.clock.now() + ARMED_MS
    this.#expiries.set(action, expiryMs)
    await this.#tell(action, expiryMs)
    return expiryMs
  }

  /** @returns whether it was traced */
  async remove(action: string): Promise<boolean> {
    const wasArmed = this.armed().some(([name]) => name === action)
    this.#expiries.delete(action)
    await this.#tell(action, 0)
    return wasArmed
  }

  async clear(): Promise<void> {
    const names = [...this.#expiries.keys()]
    this.#expiries.clear()
    for (const name of names) await this.#tell(name, 0)
  }

  /** Those that have not ended by themselves. */
  armed(): readonly (readonly [action: string, expiryMs: number])[] {
    const now = this.clock.now()
    for (const [name, expiryMs] of this.#expiries) if (expiryMs <= now) this.#expiries.delete(name)
    return [...this.#expiries]
  }

  /** Tells a LoT thread that has just begun. */
  async tellAll(): Promise<void> {
    for (const [name, expiryMs] of this.armed()) await this.#tell(name, expiryMs)
  }

  #tell(action: string, untilMs: number): Promise<void> {
    return this.arm(action === ALL_ACTIONS ? undefined : action, untilMs)
  }
}
