import type { LoadClient } from './client.js'

/** Keeps connections alive: each is pinged once per interval, and the pings are spread evenly over it. */
export class Pinger {
  #timer: NodeJS.Timeout | undefined
  #cursor = 0

  constructor(
    private readonly clients: readonly LoadClient[],
    private readonly intervalSeconds: number,
  ) {}

  start(): void {
    const perSecond = Math.ceil(this.clients.length / this.intervalSeconds)
    this.#timer = setInterval(() => {
      for (let nth = 0; nth < perSecond; nth++) {
        this.clients[this.#cursor].ping()
        this.#cursor = (this.#cursor + 1) % this.clients.length
      }
    }, 1_000)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
