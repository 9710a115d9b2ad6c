/** Topics of a model: which instance a message belongs to, and which topics an instance reads and writes. */
import { LotCompileError, type ModelInput } from '../program.js'
import type { Source } from '../source.js'
import type { TextNode } from '../tree.js'

/** A level of a topic: text, or the place of a capture. */
type Level = { readonly text: string } | { readonly capture: number }

/** A topic with places for the captures of an instance. */
export class TopicPattern {
  /** Set if nothing is to be filled in. */
  readonly #constant: string | undefined

  constructor(
    readonly text: string,
    readonly levels: readonly Level[],
  ) {
    this.#constant = levels.every((level) => 'text' in level) ? text : undefined
  }

  /** @returns undefined where captures are too few */
  fill(captures: readonly string[]): string | undefined {
    if (this.#constant !== undefined) return this.#constant
    const filled: string[] = []
    for (const level of this.levels) {
      const text = 'text' in level ? level.text : captures[level.capture]
      if (text === undefined) return undefined
      filled.push(text)
    }
    return filled.join('/')
  }
}

const NAMED_LEVEL = /^\{\s*(\w+)\s*\}$/

/** Names of the wildcards in a topic: those of `{name}`, and for each `+` its number among the `+`. */
function wildcardNames(topic: string): (string | undefined)[] {
  let plus = 0
  return topic.split('/').map((level) => (level === '+' ? `+${plus++}` : NAMED_LEVEL.exec(level)?.[1]))
}

/** What tells the instances of a model apart. */
export class CaptureKeys {
  /** @param topics of the triggers; the one with the most wildcards decides */
  static ofTriggers(topics: readonly string[]): CaptureKeys {
    let keys: string[] = []
    for (const topic of topics) {
      const names = [...new Set(wildcardNames(topic).filter((name) => name !== undefined))]
      if (names.length > keys.length) keys = names
    }
    return new CaptureKeys(keys)
  }

  private constructor(readonly names: readonly string[]) {}

  /** @throws LotCompileError for a wildcard that no trigger has */
  pattern(topic: TextNode, source: Source): TopicPattern {
    const levels = topic.value.split('/')
    const wildcards = wildcardNames(topic.value)
    return new TopicPattern(
      topic.value,
      levels.map((text, index) => {
        const name = wildcards[index]
        if (name === undefined) return { text }
        const capture = this.names.indexOf(name)
        if (capture >= 0) return { capture }
        const { line, column } = source.positionOf(topic.span.start)
        const what = name.startsWith('+') ? 'more + than the trigger' : `{${name}}, which no trigger has`
        throw new LotCompileError(`the topic "${topic.value}" has ${what}`, line, column)
      }),
    )
  }

  input(topic: string, isTrigger: boolean): ModelInput {
    const wildcards = wildcardNames(topic)
    const filter = topic
      .split('/')
      .map((level, index) => (wildcards[index] === undefined ? level : '+'))
      .join('/')
    const captures = wildcards.filter((name) => name !== undefined)
    const order = this.names.map((name) => captures.indexOf(name))
    const isShared = order.includes(-1)
    return { filter, isTrigger, isShared, order: isShared ? [] : order }
  }
}

/** @param topic of an instance; may end in `#` @returns whether a message on `name` is one for it */
export function isFor(topic: string | undefined, name: string): boolean {
  if (topic === undefined) return false
  if (topic === name) return true
  if (!topic.endsWith('#')) return false
  return topic === '#' || name.startsWith(topic.slice(0, -1)) || name === topic.slice(0, -2)
}
