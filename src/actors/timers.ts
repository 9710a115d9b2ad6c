/** Timers of one actor over a clock that is a parameter: a heap, and one look at it per tick. */

export interface Timer {
  readonly dueMs: number
  readonly run: () => void
  cancelled: boolean
}

export class Timers {
  readonly #heap: Timer[] = []

  /** Timers set and not yet run; cancelled ones count until they are due. */
  get size(): number {
    return this.#heap.length
  }

  /** @param dueMs milliseconds since the epoch */
  at(dueMs: number, run: () => void): Timer {
    const timer: Timer = { dueMs, run, cancelled: false }
    const heap = this.#heap
    let place = heap.push(timer) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (heap[parent].dueMs <= timer.dueMs) break
      heap[place] = heap[parent]
      place = parent
    }
    heap[place] = timer
    return timer
  }

  /** Runs what is due, earliest first. Timers set meanwhile run too if they are due. */
  runDue(nowMs: number): void {
    while (this.#heap.length > 0 && this.#heap[0].dueMs <= nowMs) {
      const timer = this.#takeFirst()
      if (!timer.cancelled) timer.run()
    }
  }

  #takeFirst(): Timer {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop() as Timer
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
