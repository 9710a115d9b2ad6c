/** How far a long command is, on one line of a terminal; nothing where standard error is none. */
import type { CommandContext } from './command.js'

const BAR_CHARACTERS = 24
/** Milliseconds between two drawings. */
const DRAW_MS = 100
const CLEAR_LINE = '\r\u001b[K'

export class ProgressLine {
  #drawnAtMs = Number.NEGATIVE_INFINITY
  #isDrawn = false

  /** @param label what is being done, such as "verifying" */
  constructor(
    readonly stderr: CommandContext['stderr'],
    readonly label: string,
    readonly now: () => number = Date.now,
  ) {}

  /** @param share from 0 to 1 */
  readonly update = (share: number): void => {
    if (this.stderr.isTTY !== true || this.now() - this.#drawnAtMs < DRAW_MS) return
    this.#drawnAtMs = this.now()
    this.#isDrawn = true
    const filled = Math.round(share * BAR_CHARACTERS)
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_CHARACTERS - filled)}`
    this.stderr.write(`${CLEAR_LINE}${this.label} ${bar} ${Math.floor(share * 100)} %`)
  }

  /** Takes the line away. */
  end(): void {
    if (this.#isDrawn) this.stderr.write(CLEAR_LINE)
    this.#isDrawn = false
  }
}

/** Runs `work` with a progress line that is gone when it has ended, also when it fails. */
export async function withProgress<T>(
  label: string,
  context: CommandContext,
  work: (update: (share: number) => void) => Promise<T>,
): Promise<T> {
  const line = new ProgressLine(context.stderr, label)
  try {
    return await work(line.update)
  } finally {
    line.end()
  }
}
