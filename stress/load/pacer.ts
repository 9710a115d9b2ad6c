/**
 * Decides when publishers may send. Flat out, a publisher sends as soon as a quarter of its window is free; at a rate,
 * all take turns so that the total follows the clock, as far as their windows allow.
 */
export interface Paced {
  /** @returns messages that this publisher may send now */
  room(publisher: number): number
  /** @returns how many it did send */
  send(publisher: number, count: number): number
}

const TICK_MS = 1
/** A publisher that fell behind catches up with no more than this much of its rate, so that a pause makes no burst. */
const DEBT_SECONDS_MAX = 0.25

export interface Pacer {
  start(): void
  /** A window may have opened. Hot: called for each delivery and acknowledgement. */
  wake(publisher: number): void
  stop(): void
}

export function makePacer(paced: Paced, publishers: number, ratePerSecond: number, wakeRoom: number): Pacer {
  return ratePerSecond > 0 ? new ClockPacer(paced, publishers, ratePerSecond) : new FlatOut(paced, publishers, wakeRoom)
}

class FlatOut implements Pacer {
  #ready: number[] = []
  #spare: number[] = []
  readonly #isReady: Uint8Array
  #scheduled: NodeJS.Immediate | undefined
  #isRunning = false

  constructor(
    private readonly paced: Paced,
    private readonly publishers: number,
    private readonly wakeRoom: number,
  ) {
    this.#isReady = new Uint8Array(publishers)
  }

  start(): void {
    this.#isRunning = true
    for (let publisher = 0; publisher < this.publishers; publisher++) this.#enqueue(publisher)
  }

  wake(publisher: number): void {
    if (this.#isReady[publisher] === 0 && this.#isRunning && this.paced.room(publisher) >= this.wakeRoom) {
      this.#enqueue(publisher)
    }
  }

  stop(): void {
    this.#isRunning = false
    clearImmediate(this.#scheduled)
  }

  #enqueue(publisher: number): void {
    this.#isReady[publisher] = 1
    this.#ready.push(publisher)
    this.#scheduled ??= setImmediate(() => this.#turn())
  }

  /** One write per publisher and turn: all sockets that have bytes are read before the next. */
  #turn(): void {
    this.#scheduled = undefined
    const ready = this.#ready
    this.#ready = this.#spare
    this.#spare = ready
    for (const publisher of ready) {
      this.#isReady[publisher] = 0
      const room = this.paced.room(publisher)
      if (room <= 0) continue
      const sent = this.paced.send(publisher, room)
      if (sent > 0 && sent < room) this.#enqueue(publisher)
    }
    ready.length = 0
  }
}

class ClockPacer implements Pacer {
  #timer: NodeJS.Timeout | undefined
  #startedMs = 0
  #sent = 0
  #cursor = 0

  constructor(
    private readonly paced: Paced,
    private readonly publishers: number,
    private readonly ratePerSecond: number,
  ) {}

  start(): void {
    this.#startedMs = performance.now()
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  wake(): void {}

  stop(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    const elapsedSeconds = (performance.now() - this.#startedMs) / 1_000
    let due = Math.floor(elapsedSeconds * this.ratePerSecond) - this.#sent
    const debtMax = Math.ceil(this.ratePerSecond * DEBT_SECONDS_MAX)
    if (due > debtMax) {
      this.#sent += due - debtMax
      due = debtMax
    }
    const share = Math.ceil(due / this.publishers)
    for (let visited = 0; visited < this.publishers && due > 0; visited++) {
      const publisher = this.#cursor
      this.#cursor = (this.#cursor + 1) % this.publishers
      const wanted = Math.min(share, due, this.paced.room(publisher))
      if (wanted <= 0) continue
      const sent = this.paced.send(publisher, wanted)
      this.#sent += sent
      due -= sent
    }
  }
}
