/** What a runtime must know of a text before it runs: the topics that it may read, and the names that it refers to. */
import type { ActionNode, Expression, ModelNode, RouteNode } from '../tree.js'
import { topicTerms } from './topic.js'

/**
 * MQTT filters that together match every topic that GET TOPIC and the TOPIC fields may read. `#` is meant to match
 * topics that begin with `$` too. What called actions, published models and parents read comes on top: `references`
 * names them.
 */
export function readFilters(node: ActionNode | ModelNode): string[] {
  const filters = new Set<string>()
  for (const part of parts(node)) {
    if (part.kind === 'getTopic') filters.add(filterOf(part.topic as Expression))
    else if (part.kind === 'topicValue') filters.add(modelFilter((part.topic as { readonly value: string }).value))
    else if (part.kind === 'topic' && node.kind === 'model') {
      filters.add(modelFilter((part.filter as { readonly value: string }).value))
    }
  }
  if (node.kind === 'model') for (const filter of soleTrigger(node, filters)) filters.delete(filter)
  return [...filters]
}

/** Its payload comes with the message that fires it; nothing else of a model with one topic is looked up. */
function soleTrigger(node: ModelNode, filters: ReadonlySet<string>): string[] {
  const topics = [...parts(node)].filter((part) => part.kind === 'topic')
  const isSole = topics.length === 1 && topics[0].isTrigger === true && filters.size === 1
  return isSole ? [...filters] : []
}

/** A literal is its own filter; otherwise what is known of the beginning, up to its last level, covers it. */
function filterOf(topic: Expression): string {
  const [first, ...rest] = topicTerms(topic)
  const literal = first.kind === 'text' ? first.value : ''
  if (first.kind === 'text' && rest.length === 0) return literal
  return `${literal.slice(0, literal.lastIndexOf('/') + 1)}#`
}

function modelFilter(topic: string): string {
  return topic.replace(/(^|\/)\{\s*\w+\s*\}(?=\/|$)/g, '$1+')
}

export interface References {
  /** PUBLISH MODEL, FROM, COLLECTION … OF. */
  readonly models: readonly string[]
  readonly actions: readonly string[]
  /** `Script.function` */
  readonly pythonTargets: readonly string[]
  readonly routes: readonly string[]
  readonly environment: readonly string[]
  readonly secrets: readonly string[]
}

/** Each name once, in the order of the text. */
export function references(node: ActionNode | ModelNode | RouteNode): References {
  const models = new Set<string>()
  const actions = new Set<string>()
  const pythonTargets = new Set<string>()
  const routes = new Set<string>()
  const environment = new Set<string>()
  const secrets = new Set<string>()
  if (node.kind === 'model' && node.parent !== undefined) models.add(node.parent.text)
  for (const part of parts(node)) {
    switch (part.kind) {
      case 'publishModel':
      case 'collection':
        models.add(textIn(part.model))
        break
      case 'callAction':
        actions.add(textIn(part.action))
        break
      case 'callPython':
        pythonTargets.add(textIn(part.target))
        break
      case 'callMcp':
        routes.add(textIn(part.target).split('.')[0])
        break
      case 'callModel':
      case 'getModel':
      case 'triggerEvent':
      case 'triggerMapping':
      case 'store':
      case 'fetch':
        routes.add(textIn(part.route))
        break
      case 'getEnvironment':
        ;(part.secret === true ? secrets : environment).add(textIn(part.name))
        break
    }
    if (part.kind === 'getModel') models.add(textIn(part.model))
  }
  return {
    models: [...models],
    actions: [...actions],
    pythonTargets: [...pythonTargets],
    routes: [...routes],
    environment: [...environment],
    secrets: [...secrets],
  }
}

/** The text of a name or of a text literal. */
function textIn(node: unknown): string {
  if (typeof node !== 'object' || node === null) return ''
  if ('text' in node && typeof node.text === 'string') return node.text
  return 'value' in node && typeof node.value === 'string' ? node.value : ''
}

type Part = { readonly kind: string } & Readonly<Record<string, unknown>>

/** The node and all nodes within it. */
function* parts(node: unknown): Generator<Part> {
  if (typeof node !== 'object' || node === null) return
  if ('kind' in node && typeof node.kind === 'string') yield node as Part
  for (const child of Object.values(node)) yield* parts(child)
}
