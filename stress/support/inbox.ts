/** What a test client has received and no expectation has taken yet. */
import type { Received } from './broker-packets.js'

/** Milliseconds of real time after which a wait fails; only a broken broker lets it come to that. */
export const DEADLINE_MS = 5_000

/** One line for an error message. Payloads are cut. */
export function describe(packet: Received): string {
  const { kind, ...fields } = packet
  const shown = JSON.stringify(fields, (key, value) => {
    if (key === 'payload' || key === 'size') return undefined
    return typeof value === 'string' && value.length > 40 ? `${value.slice(0, 40)}…` : value
  })
  return `${kind} ${shown}`
}

export class Inbox {
  private readonly packets: Received[] = []
  private readonly waiting = new Set<() => void>()
  private failure: Error | undefined
  closed = false

  get pending(): readonly Received[] {
    return this.packets
  }

  drain(): readonly Received[] {
    this.check()
    return this.packets.splice(0)
  }

  add(packet: Received): void {
    this.packets.push(packet)
    this.wake()
  }

  /** Every later expectation fails with this error: the broker broke a rule. */
  fail(failure: Error): void {
    this.failure ??= failure
    this.wake()
  }

  close(): void {
    this.closed = true
    this.wake()
  }

  /** @throws the rule that the broker broke, if it broke one */
  check(): void {
    if (this.failure) throw this.failure
  }

  /** Everything received until now, for an error message. */
  story(): string {
    const received = this.packets.map(describe)
    return [...(received.length > 0 ? received : ['nothing']), ...(this.closed ? ['connection closed'] : [])].join('; ')
  }

  /** Takes the first packet that fits, waiting for it. */
  async take(what: string, fits: (packet: Received) => boolean, deadlineMs = DEADLINE_MS): Promise<Received> {
    const index = await this.until(
      what,
      () => {
        const found = this.packets.findIndex(fits)
        return found >= 0 ? found : undefined
      },
      deadlineMs,
    )
    return this.packets.splice(index, 1)[0]!
  }

  /** Takes the next packet, whatever it is; undefined when the connection was closed instead. */
  async next(what: string, deadlineMs = DEADLINE_MS): Promise<Received | undefined> {
    await this.until(what, () => (this.packets.length > 0 || this.closed ? true : undefined), deadlineMs, true)
    return this.packets.shift()
  }

  /** Waits until the question has an answer. @throws at the deadline, at closing, and when the broker broke a rule */
  async until<Answer>(
    what: string,
    ask: () => Answer | undefined,
    deadlineMs = DEADLINE_MS,
    closingIsFine = false,
  ): Promise<Answer> {
    const fail = (why: string) => new Error(`expected ${what}, ${why}; received: ${this.story()}`)
    return new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => finish(() => reject(fail(`waited ${deadlineMs} ms`))), deadlineMs)
      const finish = (settle: () => void) => {
        clearTimeout(timer)
        this.waiting.delete(look)
        settle()
      }
      const look = () => {
        if (this.failure) return finish(() => reject(this.failure))
        const answer = ask()
        if (answer !== undefined) return finish(() => resolve(answer))
        if (this.closed && !closingIsFine) finish(() => reject(fail('the connection was closed')))
      }
      this.waiting.add(look)
      look()
    })
  }

  /** Lets every wait ask again. */
  wake(): void {
    for (const look of [...this.waiting]) look()
  }
}
