/**
 * Wakes a thread that sleeps because all its rings are empty. One word of shared memory per thread: 1 while it sleeps.
 * Writers ring only then, so a busy thread costs them one load.
 */
export function createDoorbellMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(64)
}

export class Doorbell {
  readonly #word: Int32Array
  constructor(memory: SharedArrayBuffer) {
    this.#word = new Int32Array(memory)
  }

  ring(): void {
    if (Atomics.load(this.#word, 0) === 1 && Atomics.compareExchange(this.#word, 0, 1, 0) === 1)
      Atomics.notify(this.#word, 0)
  }
}

/** The sleeping side. Owns the word; one sleeper per doorbell. */
export class Sleeper {
  readonly #word: Int32Array
  constructor(memory: SharedArrayBuffer) {
    this.#word = new Int32Array(memory)
  }

  /** Announces sleep. Look at the rings once more after this, and call `cancel` if one filled meanwhile. */
  announce(): void {
    Atomics.store(this.#word, 0, 1)
  }

  cancel(): void {
    Atomics.store(this.#word, 0, 0)
  }

  /** Calls `wake` once somebody rings (or did since `announce`). */
  sleep(wake: () => void): void {
    const waiting = Atomics.waitAsync(this.#word, 0, 1)
    if (waiting.async) void waiting.value.then(wake)
    else queueMicrotask(wake)
  }
}
