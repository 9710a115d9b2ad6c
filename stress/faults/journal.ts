/** What clients saw and did, most recent last: what led to a violation is told with it. */
export interface JournalEntry {
  readonly atMs: number
  /** A client, or `run`. */
  readonly who: string
  readonly what: string
  /** Stream and sequence number of a message; -1 where it is about none. */
  readonly stream: number
  readonly sequence: number
  /** Packet identifier, or -1. */
  readonly packetId: number
}

/** A message as it concerns some clients. */
export interface Subject {
  readonly clients: ReadonlySet<string>
  readonly stream: number
  readonly sequence: number
}

/** About a minute of a run at the usual rate. */
const ENTRIES_MAX = 400_000
const LINES_MAX = 60
/** Messages of the same stream, for what came before and in between. */
const NEIGHBOURS = 6

export class Journal {
  readonly #ring: JournalEntry[] = []
  #next = 0

  /** @param nowMs of a monotonic clock */
  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  /** Something that is about no message. */
  note(who: string, what: string, packetId = -1): void {
    this.message(who, what, -1, -1, packetId)
  }

  message(who: string, what: string, stream: number, sequence: number, packetId: number): void {
    this.#ring[this.#next++ % ENTRIES_MAX] = { atMs: this.nowMs(), who, what, stream, sequence, packetId }
  }

  /** @returns lines on the way of that message, and on what befell its clients meanwhile */
  about(subject: Subject): string[] {
    const { clients, stream, sequence } = subject
    const isNear = (entry: JournalEntry): boolean =>
      entry.stream === stream && Math.abs(entry.sequence - sequence) <= NEIGHBOURS && clients.has(entry.who)
    const entries = this.#inOrder()
    const first = entries.findIndex((entry) => entry.stream === stream && entry.sequence === sequence)
    const packetIds = new Set(entries.filter((entry) => isNear(entry)).map(({ packetId }) => packetId))
    const concerns = (entry: JournalEntry): boolean => {
      if (entry.who === 'run') return true
      if (!clients.has(entry.who)) return false
      if (entry.stream >= 0) return isNear(entry)
      return entry.packetId < 0 || packetIds.has(entry.packetId)
    }
    const lines = entries.slice(Math.max(0, first)).filter(concerns).map(lineOf)
    return lines.length <= LINES_MAX
      ? lines
      : [...lines.slice(0, LINES_MAX / 2), `… ${lines.length - LINES_MAX} more`, ...lines.slice(-LINES_MAX / 2)]
  }

  #inOrder(): JournalEntry[] {
    if (this.#next <= ENTRIES_MAX) return this.#ring
    const start = this.#next % ENTRIES_MAX
    return [...this.#ring.slice(start), ...this.#ring.slice(0, start)]
  }
}

function lineOf({ atMs, who, what, stream, sequence, packetId }: JournalEntry): string {
  const message = stream < 0 ? '' : ` ${stream}#${sequence}`
  return `${(atMs / 1_000).toFixed(3)} ${who}: ${what}${message}${packetId < 0 ? '' : ` id ${packetId}`}`
}
