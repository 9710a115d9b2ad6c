/** LoT text as it was given, and places in it. */

/** Half-open range of UTF-16 offsets into `Source.text`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Both count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/**
 * A text with a name. Byte order mark and carriage returns are gone from `text`; whoever must give the text back as it
 * came keeps the original. Lines are found when somebody asks for one.
 */
export class Source {
  readonly text: string
  #lineStarts: number[] | undefined

  /** @param name for messages: a path, or the kind and name of an entity */
  constructor(
    readonly name: string,
    text: string,
  ) {
    this.text = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  }

  positionOf(offset: number): Position {
    const starts = this.#starts()
    let low = 0
    for (let high = starts.length; high - low > 1; ) {
      const middle = (low + high) >> 1
      if (starts[middle] <= offset) low = middle
      else high = middle
    }
    return { line: low + 1, column: offset - starts[low] + 1 }
  }

  /** @param line from 1 @returns without its line end; empty where there is no such line */
  lineText(line: number): string {
    const starts = this.#starts()
    const start = starts[line - 1]
    return start === undefined ? '' : this.text.slice(start, (starts[line] ?? this.text.length + 1) - 1)
  }

  get lineCount(): number {
    return this.#starts().length
  }

  #starts(): number[] {
    if (this.#lineStarts === undefined) {
      this.#lineStarts = [0]
      for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1))
        this.#lineStarts.push(at + 1)
    }
    return this.#lineStarts
  }
}
