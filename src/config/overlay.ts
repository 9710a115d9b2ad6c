/** Configuration from several sources laid over one another, each value with its origin and all problems collected. */
import { nearestSpelling } from '../base/spelling.js'
import {
  allKeys,
  CONFIG_KEYS,
  childOf,
  expectedText,
  type KeyNode,
  type KeyPath,
  type List,
  nodeAt,
  pathText,
} from './keys.js'
import { DEFAULT_ORIGIN, type Origin, originText } from './origin.js'
import { givenText } from './values.js'

type Tree = Record<string, unknown>

/** Later values win; a list replaces the whole list before it. Nothing is checked but names and shape. */
export class Overlay {
  /** What was set, to be completed and checked by the schema. */
  readonly tree: Tree = {}
  readonly problems: string[] = []
  readonly #origins = new Map<string, Origin>()

  /** @param originOf tells the origin of a path at or below the given one */
  set(path: KeyPath, value: unknown, originOf: (path: KeyPath) => Origin): void {
    const node = this.#knownNode(path, originOf)
    if (node === undefined) return
    if (node.kind === 'section') this.#setSection(path, node, value, originOf)
    else if (node.kind === 'list') this.#setList(path, node, value, originOf)
    else this.#store(path, value, originOf(path))
  }

  /** The origin of a value, or of the nearest group or list around it that was set. */
  originAt(path: KeyPath): Origin {
    return this.#origins.get(pathText(path)) ?? DEFAULT_ORIGIN
  }

  originAround(path: KeyPath): Origin {
    for (let length = path.length; length > 0; length--) {
      const origin = this.#origins.get(pathText(path.slice(0, length)))
      if (origin !== undefined) return origin
    }
    return DEFAULT_ORIGIN
  }

  /** The list at a path, its default where it was not set; changes to it are changes to the tree. */
  listAt(path: KeyPath): unknown[] {
    const list = this.#container(path)
    return Array.isArray(list) ? list : []
  }

  report(message: string, origin: Origin): void {
    this.problems.push(origin.kind === 'default' ? message : `${message} (${originText(origin)})`)
  }

  #knownNode(path: KeyPath, originOf: (path: KeyPath) => Origin): KeyNode | undefined {
    let node: KeyNode = CONFIG_KEYS
    for (const [index, step] of path.entries()) {
      const child = childOf(node, step)
      if (child === undefined) {
        this.report(unknownText(path.slice(0, index + 1), node), originOf(path))
        return undefined
      }
      const entries = node.kind === 'list' ? this.listAt(path.slice(0, index)).length : 0
      if (node.kind === 'list' && Number(step) > entries) {
        this.report(`${pathText(path)} does not exist: the list has ${entries} entries`, originOf(path))
        return undefined
      }
      node = child
    }
    return node
  }

  #setSection(path: KeyPath, node: KeyNode, value: unknown, originOf: (path: KeyPath) => Origin): void {
    if (value === null || value === undefined) return // an empty group in YAML
    if (!isPlainObject(value)) {
      this.#reportShape(path, node, value, originOf(path))
      return
    }
    if (path.length > 0) this.#origins.set(pathText(path), originOf(path))
    for (const [name, child] of Object.entries(value)) this.set([...path, name], child, originOf)
  }

  #setList(path: KeyPath, node: List, value: unknown, originOf: (path: KeyPath) => Origin): void {
    if (!Array.isArray(value)) {
      this.#reportShape(path, node, value, originOf(path))
      return
    }
    const printed = pathText(path)
    for (const known of this.#origins.keys()) if (known.startsWith(`${printed}.`)) this.#origins.delete(known)
    this.#store(path, [], originOf(path))
    value.forEach((item, index) => {
      // A group without keys is an entry too.
      if (node.item.kind === 'section') this.#store([...path, index], {}, originOf([...path, index]))
      this.set([...path, index], item ?? {}, originOf)
    })
  }

  #reportShape(path: KeyPath, node: KeyNode, value: unknown, origin: Origin): void {
    const name = path.length === 0 ? 'the configuration' : pathText(path)
    this.report(`${name} must be ${expectedText(node)}, but ${givenText(node, value)} was given`, origin)
  }

  #store(path: KeyPath, value: unknown, origin: Origin): void {
    const container = this.#container(path.slice(0, -1)) as Tree
    container[path.at(-1)!] = value
    this.#origins.set(pathText(path), origin)
  }

  /** The object or list at a path, made from the defaults of the schema where it is not there yet. */
  #container(path: KeyPath): Tree | unknown[] {
    let container: Tree | unknown[] = this.tree
    for (const [index, step] of path.entries()) {
      const held = container as Tree
      if (held[step] === undefined) {
        const node = nodeAt(path.slice(0, index + 1))
        held[step] = node?.kind === 'list' ? structuredClone(node.defaultValue ?? []) : {}
      }
      container = held[step] as Tree | unknown[]
    }
    return container
  }
}

function isPlainObject(value: unknown): value is Tree {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function unknownText(path: KeyPath, parent: KeyNode): string {
  const printed = pathText(path)
  const nearest = nearestPath(path, parent)
  return nearest === undefined ? `${printed} is unknown` : `${printed} is unknown; did you mean ${nearest}?`
}

/** A key beside it first; otherwise one of that name anywhere. */
function nearestPath(path: KeyPath, parent: KeyNode): string | undefined {
  const name = String(path.at(-1))
  const beside = parent.kind === 'section' ? nearestSpelling(name, parent.keys.keys()) : undefined
  if (beside !== undefined) return pathText([...path.slice(0, -1), beside])
  const elsewhere = [...allKeys()].map(([key]) => key).filter((key) => !key.includes('*'))
  const nearest = nearestSpelling(name, new Set(elsewhere.map((key) => key.at(-1)!)))
  const found = elsewhere.find((key) => key.at(-1) === nearest)
  return found === undefined ? undefined : pathText(found)
}
