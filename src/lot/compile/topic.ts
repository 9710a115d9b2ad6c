/** Topic expressions. In a topic, `+` between terms joins text, also where both look like numbers. */
import type { Expression } from '../tree.js'
import { textOf } from '../values/value.js'
import { compileError, type Scope } from './compiled.js'
import type { Run } from './run.js'

/** @returns undefined where a `+` has no capture: such a topic has no value */
export type ReadTopic = (run: Run) => string | undefined
/** @throws Error for a topic that nothing can be published to */
export type WriteTopic = (run: Run) => string

export interface TopicParts {
  readonly text: (run: Run) => string
  /** The whole text, if it is known. */
  readonly constant: string | undefined
  readonly hasPlus: boolean
}

/** The terms of a topic, from left to right, without the parentheses around them. */
export function topicTerms(node: Expression): Expression[] {
  if (node.kind === 'group') return topicTerms(node.inner)
  if (node.kind === 'arithmetic' && node.operator === '+') return [...topicTerms(node.left), ...topicTerms(node.right)]
  return [node]
}

function compileParts(node: Expression, scope: Scope): TopicParts {
  const parts: (string | ((run: Run) => string))[] = []
  for (const term of topicTerms(node)) {
    const compiled = scope.expression(term)
    if (compiled.constant === undefined) {
      const { run } = compiled
      parts.push((state) => textOf(run(state)))
    } else {
      const text = textOf(compiled.constant.value)
      const last = parts.at(-1)
      if (typeof last === 'string') parts[parts.length - 1] = last + text
      else parts.push(text)
    }
  }
  const hasPlus = parts.some((part) => typeof part === 'string' && part.includes('+'))
  if (parts.every((part) => typeof part === 'string')) {
    const text = parts.join('')
    return { text: () => text, constant: text, hasPlus }
  }
  return { text: joined(parts), constant: undefined, hasPlus }
}

function joined(parts: readonly (string | ((run: Run) => string))[]): (run: Run) => string {
  const [first, second] = parts
  if (parts.length === 1 && typeof first === 'function') return first
  if (parts.length === 2) {
    if (typeof first === 'string' && typeof second === 'function') return (run) => first + second(run)
    if (typeof first === 'function' && typeof second === 'string') return (run) => first(run) + second
  }
  return (run) => {
    let text = ''
    for (const part of parts) text += typeof part === 'string' ? part : part(run)
    return text
  }
}

/** Each level `+` becomes the next capture. @returns undefined if there are too few */
export function fillCaptures(topic: string, captures: readonly string[]): string | undefined {
  let next = 0
  let isShort = false
  const filled = topic.split('/').map((level) => {
    if (level !== '+') return level
    const capture = captures[next++]
    if (capture === undefined) isShort = true
    return capture
  })
  return isShort ? undefined : filled.join('/')
}

/** The same for a topic that is known: it is taken apart once. */
function compileFill(topic: string): ReadTopic {
  const pieces = ['']
  topic.split('/').forEach((level, index) => {
    const slash = index === 0 ? '' : '/'
    pieces[pieces.length - 1] += level === '+' ? slash : slash + level
    if (level === '+') pieces.push('')
  })
  const [first, ...others] = pieces
  return (run) => {
    const { captures } = run.occasion
    if (captures.length < others.length) return undefined
    let text = first
    for (let i = 0; i < others.length; i++) text += captures[i] + others[i]
    return text
  }
}

function filled({ text, constant, hasPlus }: TopicParts): ReadTopic {
  if (!hasPlus) return text
  if (constant !== undefined) return compileFill(constant)
  return (run) => fillCaptures(text(run), run.occasion.captures)
}

export function compileReadTopic(node: Expression, scope: Scope): ReadTopic {
  return filled(compileParts(node, scope))
}

export interface CompiledTopic {
  readonly run: WriteTopic
  /** Set if the topic is known and valid. */
  readonly constant: string | undefined
}

export function compileWriteTopic(node: Expression, scope: Scope): CompiledTopic {
  const parts = compileParts(node, scope)
  const { text, constant, hasPlus } = parts
  if (constant !== undefined && !hasPlus) {
    const problem = topicProblem(constant)
    if (problem !== undefined) throw compileError(scope, node.span, problem)
    return { run: () => constant, constant }
  }
  if (!hasPlus) return { run: (run) => checkedTopic(text(run)), constant: undefined }
  const fill = filled(parts)
  return {
    run: (run) => {
      const topic = fill(run)
      if (topic === undefined) throw new Error(`the trigger has no level for a + of the topic "${text(run)}"`)
      return checkedTopic(topic)
    },
    constant: undefined,
  }
}

/** @throws Error if nothing can be published to it */
export function checkedTopic(topic: string): string {
  const { length } = topic
  if (length === 0 || length > SURELY_SHORT || topic.charCodeAt(0) === DOLLAR) return checkSlowly(topic)
  for (let i = 0; i < length; i++) {
    const code = topic.charCodeAt(i)
    if (code === 35 || code === 43 || code === 0 || code >= 0xd800) return checkSlowly(topic)
  }
  return topic
}

function checkSlowly(topic: string): string {
  const problem = topicProblem(topic)
  if (problem !== undefined) throw new Error(problem)
  return topic
}

/** A topic name is at most 65,535 bytes long [MQTT-4.7.3-3], and no character has more than three bytes. */
const TOPIC_BYTES_MAX = 65_535
const SURELY_SHORT = 21_845
const DOLLAR = 36
/** What an action may publish below `$SYS`: what TRIGGER does too. */
const ROUTE_EVENT = /^\$SYS\/Coreflux\/Routes\/[^/]+\/Events\/[^/]+$/
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

/** @returns in words why nothing can be published to `topic` [MQTT-3.3.2-2], [MQTT-4.7.3-1], [MQTT-4.7.3-2] */
export function topicProblem(topic: string): string | undefined {
  if (topic === '') return 'the topic is empty'
  if (/[#+]/.test(topic)) return `the topic "${topic}" has a wildcard`
  // a topic made from a message must not become a command
  if (/^\$SYS(\/|$)/.test(topic) && !ROUTE_EVENT.test(topic)) return `the topic "${topic}" is the broker's own`
  if (topic.includes('\0') || LONE_SURROGATE.test(topic)) return 'the topic has a character that MQTT does not allow'
  return topic.length > SURELY_SHORT && Buffer.byteLength(topic) > TOPIC_BYTES_MAX ? 'the topic is too long' : undefined
}
