/** Timers of one actor over a clock that is a parameter: a heap, and one look at it per tick. */

export interface Timer {
  readonly dueMs: number
}

interface HeldTimer extends Timer {
  /** undefined once it was cancelled or has run. */
  run: (() => void) | undefined
}

/** Below, cancelled timers may stay in the heap. */
const CANCELLED_MIN = 64

export class Timers {
  #heap: HeldTimer[] = []
  #cancelled = 0

  /** Timers set and not yet run; some cancelled ones count too, never more than the others and a few. */
  get size(): number {
    return this.#heap.length
  }

  /** @param dueMs milliseconds since the epoch */
  at(dueMs: number, run: () => void): Timer {
    const timer: HeldTimer = { dueMs, run }
    this.#push(timer)
    return timer
  }

  /** It will not run. One that has run already, or was cancelled, may be cancelled again. */
  cancel(timer: Timer): void {
    const held = timer as HeldTimer
    if (held.run === undefined) return
    held.run = undefined // lets go of what it would have worked on
    this.#cancelled++
    if (this.#cancelled < CANCELLED_MIN || this.#cancelled * 2 < this.#heap.length) return
    // a client that comes and goes sets and cancels timers that are due in years
    const left = this.#heap.filter(({ run }) => run !== undefined)
    this.#heap = []
    this.#cancelled = 0
    for (const one of left) this.#push(one)
  }

  /** Runs what is due, earliest first. Timers set meanwhile run too if they are due. */
  runDue(nowMs: number): void {
    while (this.#heap.length > 0 && this.#heap[0].dueMs <= nowMs) {
      const timer = this.#takeFirst()
      const { run } = timer
      timer.run = undefined
      if (run === undefined) this.#cancelled--
      else run()
    }
  }

  #push(timer: HeldTimer): void {
    const heap = this.#heap
    let place = heap.push(timer) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (heap[parent].dueMs <= timer.dueMs) break
      heap[place] = heap[parent]
      place = parent
    }
    heap[place] = timer
  }

  #takeFirst(): HeldTimer {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop() as HeldTimer
    if (heap.length === 0) return first
    let place = 0
    for (;;) {
      let child = place * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1].dueMs < heap[child].dueMs) child++
      if (heap[child].dueMs >= last.dueMs) break
      heap[place] = heap[child]
      place = child
    }
    heap[place] = last
    return first
  }
}
