/** First in, first out, by numbers that only grow: what waits for a number to be reached. */
export class NumberedQueue<Item> {
  #entries: { readonly number: number; readonly item: Item }[] = []
  #first = 0

  push(number: number, item: Item): void {
    this.#entries.push({ number, item })
  }

  /** Of the first item; undefined when there is none. */
  get firstNumber(): number | undefined {
    return this.#entries[this.#first]?.number
  }

  /** Takes out the items up to this number, and what is added meanwhile too if it is not beyond it. */
  *takeTo(number: number): Generator<{ readonly number: number; readonly item: Item }> {
    while (this.#first < this.#entries.length && this.#entries[this.#first].number <= number) {
      yield this.#entries[this.#first++]
    }
    this.#shrink()
  }

  /** As `takeTo`, for nobody. */
  dropTo(number: number): void {
    while (this.#first < this.#entries.length && this.#entries[this.#first].number <= number) this.#first++
    this.#shrink()
  }

  #shrink(): void {
    if (this.#first === this.#entries.length) {
      this.#entries = []
      this.#first = 0
    } else if (this.#first > 4_096) {
      this.#entries = this.#entries.slice(this.#first)
      this.#first = 0
    }
  }
}
