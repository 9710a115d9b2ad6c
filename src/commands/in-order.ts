/** Lets works run side by side and go on in the order in which they came. */
export class InOrder {
  #last: Promise<unknown> | undefined

  /** Settles as the work does, after all that came before it. */
  async after<Result>(work: Promise<Result>): Promise<Result> {
    work.catch(() => {}) // it may fail while others are waited for: whoever takes `mine` sees the failure
    const before = this.#last
    const mine = before === undefined ? work : before.then(() => work)
    const settled = mine.then(
      () => {},
      () => {},
    )
    this.#last = settled
    try {
      return await mine
    } finally {
      if (this.#last === settled) this.#last = undefined
    }
  }
}
