import type { LoadClient } from './client.js'

const PERIOD_MS = 500

/** Lets clients read once in every half second, a buffer of 256 KiB at most, so that their sockets are full otherwise. */
export class SlowReaders {
  #timer: NodeJS.Timeout | undefined

  constructor(private readonly clients: readonly LoadClient[]) {}

  start(): void {
    if (this.clients.length === 0) return
    for (const client of this.clients) client.pause()
    this.#timer = setInterval(() => {
      for (const client of this.clients) client.readOnce()
    }, PERIOD_MS)
  }

  /** They read everything from now on. */
  stop(): void {
    clearInterval(this.#timer)
    for (const client of this.clients) client.resume()
  }
}
