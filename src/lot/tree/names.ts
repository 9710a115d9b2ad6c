/** Names, as all parts of the tree have them. */
import type { Span } from '../source.js'

/** A name as it stands in the text; `text` is without quotes. */
export interface Name {
  readonly text: string
  readonly quoted: boolean
  readonly span: Span
}
