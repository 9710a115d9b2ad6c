import type { Batch } from './mailbox.js'

/** One instance of a model: what the wildcards of its trigger stand for, and its state as text between batches. */
export class Instance {
  state: string | undefined = undefined
  version = 0
  /** The batch that names it last, and where. */
  batch: Batch | undefined = undefined
  index = -1

  constructor(
    /** Unique in this thread. */
    readonly id: number,
    readonly captures: readonly string[],
  ) {}
}
