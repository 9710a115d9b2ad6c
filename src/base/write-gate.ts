/**
 * Keeps a thread out of a transaction when it is about to be ended from outside: ended within one, it never ends, and
 * neither does the process, because lmdb waits for itself while it cleans up. Shared memory of 4 bytes.
 */
const [OPEN, ENTERED, SHUT] = [0, 1, 2]

export class WriteGate {
  readonly #state: Int32Array

  /** @param shared of 4 bytes, zeros at first; another thread makes a gate of the same memory */
  constructor(readonly shared: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.#state = new Int32Array(shared)
  }

  /** @returns whether a transaction may begin; false for ever once the gate was shut */
  enter(): boolean {
    return Atomics.compareExchange(this.#state, 0, OPEN, ENTERED) === OPEN
  }

  /** Whether a transaction runs. Of a thread that has ended: whether it ended within one. */
  get isEntered(): boolean {
    return Atomics.load(this.#state, 0) === ENTERED
  }

  leave(): void {
    Atomics.compareExchange(this.#state, 0, ENTERED, OPEN)
    Atomics.notify(this.#state, 0)
  }

  /**
   * Waits, blocking this thread, until the other is in no transaction, and lets it begin none.
   * @returns whether that was so in time
   */
  shut(timeoutMs: number): boolean {
    const endMs = performance.now() + timeoutMs
    while (Atomics.compareExchange(this.#state, 0, OPEN, SHUT) === ENTERED) {
      const leftMs = endMs - performance.now()
      if (leftMs <= 0) return false
      Atomics.wait(this.#state, 0, ENTERED, leftMs)
    }
    return true
  }
}
