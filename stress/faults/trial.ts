import { type Random, seededRandom } from '../load/random.js'
import { whole } from '../load/report-text.js'
import type { StatusLine } from '../load/status-line.js'
import { type Cast, everyClient, Feed, KEPT, makeCast, stir } from './cast.js'
import { KINDS } from './kinds/kinds.js'
import { Ledger } from './ledger.js'
import type { KindName } from './plan.js'
import { checkRetained } from './retained-check.js'
import { Stage, type StageOptions } from './stage.js'

export interface TrialOptions extends Omit<StageOptions, 'reconnectMs'> {
  readonly seed: number
  readonly kills: number
  /** Messages per second of all publishers together. */
  readonly ratePerSecond: number
}

const CHECK_TRIES = 3
const TICK_MS = 5
const PING_TICKS = 200
const OPEN_MS = 30_000
const ANSWER_MS = 60_000
const DRAIN_MS = 600_000
/** Nothing has arrived for so long: what is missing will not come. */
const SILENCE_MS = 8_000
/** For repeats that come late. */
const LATE_MS = 500
const RECONNECT_MS_MAX = 50

/** The clients at work on one broker, from the first connection to the last check. */
export class Trial {
  readonly ledger = new Ledger()
  readonly stage: Stage
  retainedChecks = 0
  /** Time with publishers at work, for rates. */
  loadMs = 0
  readonly #cast: Cast
  readonly #feed: Feed
  readonly #random: Random
  #ticker: NodeJS.Timeout | undefined
  #isFeeding = false
  /** Whoever publishes retained values waits until these have been checked. */
  #isHeld = true
  #faults = 0

  constructor(
    private readonly options: TrialOptions,
    private readonly status: StatusLine,
  ) {
    this.#random = seededRandom(options.seed ^ 0x5eed)
    const reconnectMs = (): number => this.#random.integer(RECONNECT_MS_MAX)
    const changed = (): void => {
      for (const client of everyClient(this.#cast)) client.onBrokerChanged()
    }
    const read = (): Promise<boolean> => this.#checkRetained(new AbortController().signal)
    this.stage = new Stage({ ...options, reconnectMs }, this.ledger, changed, read)
    const isHeld = (): boolean => this.#isHeld
    this.#cast = makeCast(this.ledger, this.stage, isHeld)
    this.#feed = new Feed(this.#cast, options.ratePerSecond, isHeld)
  }

  /** Starts the broker and lets everybody in. @throws Error when that fails */
  async open(): Promise<void> {
    await this.stage.start()
    this.#release()
    for (const client of everyClient(this.#cast)) client.join()
    const isReady = (): boolean =>
      everyClient(this.#cast).every((client) => client.isConnected) &&
      this.#cast.subscribers.every((one) => one.isReady)
    if (!(await this.stage.until(isReady, OPEN_MS))) throw new Error('not all clients got in')
    let atMs = performance.now()
    let ticks = 0
    this.#ticker = setInterval(() => {
      const nowMs = performance.now()
      this.#tick(nowMs - atMs, nowMs, ticks++)
      atMs = nowMs
    }, TICK_MS)
  }

  #tick(elapsedMs: number, nowMs: number, ticks: number): void {
    const { publishers, retainers, subscribers } = this.#cast
    if (this.#isFeeding) {
      this.#feed.tick(elapsedMs, nowMs)
      this.loadMs += elapsedMs
    }
    for (const subscriber of subscribers) subscriber.tick()
    if (ticks % PING_TICKS !== 0) return
    for (const publisher of [...publishers, ...retainers]) publisher.checkStall(nowMs)
    for (const client of everyClient(this.#cast)) client.ping()
  }

  /** Load until the next fault. @returns milliseconds it lasted */
  async play(delayMs: number, random: Random, signal: AbortSignal): Promise<number> {
    const startMs = performance.now()
    const checkEnd = new AbortController()
    this.#isFeeding = true
    stir(this.#cast, random)
    const check = this.#isHeld ? this.#checkRetained(checkEnd.signal) : undefined
    const isOver = (): boolean => performance.now() - startMs >= delayMs || signal.aborted
    while (!isOver()) {
      await this.#revive()
      this.status.show(() => this.#statusText())
      await this.stage.until(() => isOver() || !this.stage.broker.isRunning, 100)
    }
    checkEnd.abort()
    await check
    return performance.now() - startMs
  }

  /** A broker that ended by itself is one more failure, and no reason to end the run. */
  async #revive(): Promise<void> {
    if (this.stage.broker.isRunning) return
    this.ledger.violations.add('end', `the broker ended by itself\n${this.stage.broker.output.slice(-2_000)}`)
    await this.stage.kill()
    await this.stage.start()
  }

  /** @throws Error when the broker does not come back */
  async strike(kind: KindName, random: Random, nth: number): Promise<void> {
    this.#faults = nth
    this.#isHeld = true
    this.ledger.mark(nth)
    this.ledger.violations.journal.note('run', `fault ${nth} strikes: ${kind}`)
    await KINDS[kind].strike(this.stage, random)
    this.ledger.violations.journal.note('run', `fault ${nth} is over`)
  }

  /** Lets everything arrive that is on its way, then judges. */
  async drain(): Promise<void> {
    this.#isFeeding = false
    await this.#finalRetainedCheck()
    for (const subscriber of this.#cast.subscribers) subscriber.isHurrying = true
    for (const client of everyClient(this.#cast)) client.join()
    await this.#wait(() => this.ledger.unanswered() === 0, ANSWER_MS)
    await this.#waitForDeliveries()
    await this.#wait(() => false, LATE_MS)
    await this.#finalRetainedCheck()
    for (const client of everyClient(this.#cast)) {
      if (!client.isConnected) this.ledger.violations.add('stalled', `${client.traits.clientId} never got in again`)
    }
    const unanswered = this.ledger.unanswered()
    if (unanswered > 0) this.ledger.violations.add('stalled', `${unanswered} publishes were never answered`)
    this.ledger.judge()
    for (const client of everyClient(this.#cast)) client.leave()
    await this.stage.stop()
  }

  async #waitForDeliveries(): Promise<void> {
    const endMs = performance.now() + DRAIN_MS
    let { delivered } = this.ledger.counts()
    for (let quietMs = performance.now(); this.ledger.missing() > 0; ) {
      await this.#wait(() => false, 200)
      const now = this.ledger.counts().delivered
      if (now !== delivered) quietMs = performance.now()
      delivered = now
      if (performance.now() - quietMs > SILENCE_MS || performance.now() > endMs) return
    }
  }

  async #wait(condition: () => boolean, limitMs: number): Promise<void> {
    const endMs = performance.now() + limitMs
    while (!condition() && performance.now() < endMs) {
      this.status.show(() => this.#statusText())
      await this.stage.until(condition, Math.min(200, endMs - performance.now()))
    }
  }

  /** Reads what the broker kept before anybody changes it again. */
  async #checkRetained(signal: AbortSignal): Promise<boolean> {
    const isDone = await checkRetained(this.#cast.keptStreams, `${KEPT}/#`, this.ledger, this.stage, signal)
    if (!isDone) return false
    this.retainedChecks++
    this.#release()
    return true
  }

  async #finalRetainedCheck(): Promise<void> {
    // the last fault may take away a connection that was made right after it
    for (let tries = 0; tries < CHECK_TRIES; tries++) {
      if (await this.#checkRetained(new AbortController().signal)) return
    }
    this.ledger.violations.add('stalled', 'the retained values could not be read')
    this.#release()
  }

  #release(): void {
    this.#isHeld = false
    for (const { client } of this.#cast.retainers) client.onBrokerChanged()
  }

  #statusText(): string {
    const { acknowledged, delivered } = this.ledger.counts()
    const { total } = this.ledger.violations
    const bad = total === 0 ? 'nothing wrong' : `${whole(total)} VIOLATIONS`
    const messages = `${whole(acknowledged)} acknowledged, ${whole(delivered)} delivered`
    const faults = `fault ${this.#faults} of ${this.options.kills}`
    return `${faults}, ${messages}, ${this.#isFeeding ? '' : `draining, ${whole(this.ledger.missing())} to come, `}${bad}`
  }

  async close(): Promise<void> {
    clearInterval(this.#ticker)
    for (const client of everyClient(this.#cast)) client.leave()
    await this.stage.close()
  }
}
