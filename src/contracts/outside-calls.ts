/** Between a thread that stands still until it is answered, and the one that answers: messages on a port, and words. */

/** Places in the shared words. */
export const OutsideWord = {
  /** 1 while the caller waits for an answer: time that does not count for its own limit. */
  IN_CALL: 0,
  /** Answers that were ever posted; the caller sleeps on it. */
  ANSWERS: 1,
} as const

export const OUTSIDE_WORDS_BYTES = 8

/** First message on the port. */
export interface OutsideHello {
  readonly words: SharedArrayBuffer
}

export interface OutsideRequest<Call> {
  readonly id: number
  readonly request: Call
}

export interface OutsideAnswer {
  readonly id: number
  /** Whether `text` is the reason of a failure. */
  readonly failed: boolean
  readonly text: string
}
