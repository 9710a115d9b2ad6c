/** Topic filters and topic names as the language sees them: what MQTT allows, and what the `+` in them stand for. */
import { topicTerms } from '../compile/topic.js'
import type { Expression } from '../tree.js'

const NAMED_LEVEL = /^\{\s*\w+\s*\}$/
const TOPIC_BYTES_MAX = 65_535

/** @returns in words why `filter` cannot be subscribed to [MQTT-4.7.1-1], [MQTT-4.7.1-2] */
export function filterProblem(filter: string): string | undefined {
  if (filter === '') return 'the topic filter is empty'
  const levels = filter.split('/')
  for (const [index, level] of levels.entries()) {
    if (level.includes('#') && (level !== '#' || index < levels.length - 1)) {
      return level === '#'
        ? '# is the last level of a topic filter'
        : `# is a level of its own, not a part of "${level}"`
    }
    if (level.includes('+') && level !== '+') return `+ is a level of its own, not a part of "${level}"`
  }
  return characterProblem(filter)
}

/** @returns in words why nothing can have this topic, wildcards aside [MQTT-4.7.3-1], [MQTT-4.7.3-2] */
export function nameProblem(topic: string): string | undefined {
  return topic === '' ? 'the topic is empty' : characterProblem(topic)
}

function characterProblem(topic: string): string | undefined {
  if (topic.includes('\0')) return 'the topic has a NUL character'
  return Buffer.byteLength(topic) > TOPIC_BYTES_MAX ? `the topic has more than ${TOPIC_BYTES_MAX} bytes` : undefined
}

/** What the levels `+` and `{name}` of a model's topic are called: the n-th `+` is `+n`. */
export function wildcardsOf(topic: string): readonly string[] {
  let plus = 0
  const names = topic.split('/').map((level) => {
    if (level === '+') return `+${++plus}`
    return NAMED_LEVEL.test(level) ? level.replace(/\s/g, '') : undefined
  })
  return names.filter((name) => name !== undefined)
}

/** How many levels a topic has that matches, at least and at most. */
export function levelsOf(filter: string): { readonly least: number; readonly most: number } {
  const { length } = filter.split('/')
  // `a/#` is matched by `a`, too
  return filter === '#' || filter.endsWith('/#')
    ? { least: length - 1, most: Infinity }
    : { least: length, most: length }
}

/**
 * Whether a topic that is written in an action certainly fires the filter of its own trigger: each `+` in it becomes what
 * the filter's `+` has stood for.
 */
export function comesBack(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false
  const levels = topic.split('/')
  const wanted = filter.split('/')
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true
    if (index >= levels.length) return false
    if (level !== '+' && level !== levels[index]) return false
  }
  return wanted.length === levels.length
}

/** The literal pieces of a topic expression, in order; `whole` if there is nothing else. */
export function literalPieces(topic: Expression): {
  readonly pieces: readonly string[]
  readonly whole: string | undefined
} {
  const terms = topicTerms(topic)
  const pieces = terms.flatMap((term) =>
    term.kind === 'text' ? [term.value] : term.kind === 'number' ? [term.written] : [],
  )
  return { pieces, whole: pieces.length === terms.length ? pieces.join('') : undefined }
}
