/**
 * Where the topic of `GET TOPIC` ends. `"bin/" + {id} + "/level"` is one topic, `"bin/level" + 1` a topic and a sum; texts
 * have both without parentheses. The rule (src/lot/README.md): a `+` goes on with the topic if a slash
 * stands at the seam, and the next term is a string, a variable, TOPIC POSITION or CLIENTID.
 */
import type { Expression } from '../tree.js'
import type { Cursor } from './cursor.js'
import { parsePrimary } from './parse-primary.js'

export function parseGottenTopic(cursor: Cursor): Expression {
  let topic = parsePrimary(cursor)
  let last = topic
  while (cursor.atSymbol('+') && isTopicSeam(cursor, last)) {
    const height = cursor.height
    cursor.next()
    last = parsePrimary(cursor)
    cursor.grow(height)
    topic = {
      kind: 'arithmetic',
      operator: '+',
      left: topic,
      right: last,
      span: { start: topic.span.start, end: last.span.end },
    }
  }
  return topic
}

/** Whether what follows the `+` at the cursor belongs to the topic. */
function isTopicSeam(cursor: Cursor, last: Expression): boolean {
  const next = cursor.peekRaw(1)
  const isPiece =
    next.kind === 'text' ||
    next.kind === 'variable' ||
    (next.kind === 'word' && next.text === 'CLIENTID') ||
    (next.kind === 'word' && next.text === 'TOPIC' && cursor.peekRaw(2).text === 'POSITION')
  if (!isPiece) return false
  return (last.kind === 'text' && last.value.endsWith('/')) || (next.kind === 'text' && next.text.startsWith('/'))
}
