/** A document that a client publishes to change the configuration, laid over what was kept of earlier ones. */
import { isDeepStrictEqual } from 'node:util'
import { BrokerError } from '../base/errors.js'
import { nearestSpelling } from '../base/spelling.js'
import { environmentName } from './environment.js'
import type { KeptSettings } from './kept-settings.js'
import { CONFIG_KEYS, childOf, type KeyNode, type KeyPath, nodeAt, pathOfText, pathText, valueAt } from './keys.js'
import { MASK, oldKeyNames, translateOldKey } from './old-keys.js'
import type { BrokerConfig } from './schema.js'

/** Keeps the main thread from being busy for long. */
export const DOCUMENT_BYTES_MAX = 65_536
/** What more there is to say of a document is left out. */
const PROBLEMS_MAX = 20

export interface MergedSettings {
  readonly kept: KeptSettings
  /** What this document sets, besides what it takes back. */
  readonly asked: KeptSettings
}

/**
 * Old keys and ours in one document: an object of groups and values, where null takes back what was set before; null in
 * place of the object takes back everything. A value that holds anyway is not kept. Whether values fit is not checked.
 * @param config complete, as `kept` has it
 * @throws BrokerError CONFIG_INVALID with every problem found
 */
export function mergeDocument(document: unknown, kept: KeptSettings, config: BrokerConfig): MergedSettings {
  if (document === null) return { kept: new Map(), asked: new Map() }
  if (!isObject(document)) {
    throw new BrokerError('CONFIG_INVALID', { problem: 'the configuration must be a JSON object of keys and values' })
  }
  const merging = new Merging(kept, config)
  for (const [name, value] of Object.entries(document)) {
    const known = CONFIG_KEYS.keys.get(name)
    if (known !== undefined) merging.take([name], known, value)
    else merging.takeOld(name, value)
  }
  return merging.result()
}

class Merging {
  readonly #kept: Map<string, unknown>
  readonly #asked = new Map<string, unknown>()
  readonly #problems: string[] = []

  constructor(
    kept: KeptSettings,
    readonly config: BrokerConfig,
  ) {
    this.#kept = new Map(kept)
  }

  result(): MergedSettings {
    if (this.#problems.length > 0) throw this.#invalid()
    return { kept: this.#kept, asked: this.#asked }
  }

  #report(problem: string): void {
    this.#problems.push(problem)
    if (this.#problems.length >= PROBLEMS_MAX) throw this.#invalid()
  }

  #invalid(): BrokerError<'CONFIG_INVALID'> {
    return new BrokerError('CONFIG_INVALID', { problem: this.#problems.join('\n') })
  }

  take(path: KeyPath, node: KeyNode, value: unknown): void {
    if (value === null) this.#takeBack(path)
    else if (node.kind !== 'value' && isObject(value)) {
      for (const [name, inner] of Object.entries(value)) {
        const child = childOf(node, name)
        if (child !== undefined) this.take([...path, node.kind === 'list' ? Number(name) : name], child, inner)
        else this.#report(unknownKey(pathText([...path, name]), name, node))
      }
    } else this.#set(path, node, value)
  }

  takeOld(name: string, value: unknown): void {
    const settings = translateOldKey(name, value, this.config)
    if (settings === undefined) this.#report(unknownKey(name, name, CONFIG_KEYS, oldKeyNames()))
    else if (typeof settings === 'string') this.#report(settings)
    else {
      for (const [key, meant] of settings) {
        const path = pathOfText(key)
        this.take(path, nodeAt(path)!, meant)
      }
    }
  }

  #set(path: KeyPath, node: KeyNode, given: unknown): void {
    const current = valueAt(this.config, path)
    const value = unmasked(given, current, node)
    if (isDeepStrictEqual(value, current) || isDeepStrictEqual(value, withoutUndefined(current))) return
    const printed = pathText(path)
    const secret = secretIn(value, node, path)
    if (printed === 'dataDirectory') {
      this.#report('dataDirectory cannot be set by clients: set it in the configuration file')
    } else if (secret !== undefined) {
      const variable = environmentName(secret)
      this.#report(
        `${pathText(secret)} cannot be set by clients, because it would be kept readable: set it in the configuration file, or as ${variable}`,
      )
    } else {
      this.#takeBack(path)
      this.#kept.set(printed, value)
      this.#asked.set(printed, value)
    }
  }

  #takeBack(path: KeyPath): void {
    const printed = pathText(path)
    for (const key of this.#kept.keys()) if (key === printed || key.startsWith(`${printed}.`)) this.#kept.delete(key)
  }
}

/** With the secrets that the mask stands for. */
function unmasked(value: unknown, current: unknown, node: KeyNode): unknown {
  if (node.kind === 'value') return node.secret && value === MASK ? current : value
  if (node.kind === 'list' && Array.isArray(value)) {
    return value.map((item, place) => unmasked(item, (current as readonly unknown[] | undefined)?.[place], node.item))
  }
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const child = childOf(node, name)
      return [name, child === undefined ? inner : unmasked(inner, valueAt(current, [name]), child)]
    }),
  )
}

/** What was left out has the value `undefined` here, and is not there in JSON. */
function withoutUndefined(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

/** Where in a value the first secret is. */
function secretIn(value: unknown, node: KeyNode, path: KeyPath): KeyPath | undefined {
  if (value === undefined) return undefined
  if (node.kind === 'value') return node.secret ? path : undefined
  if (typeof value !== 'object' || value === null) return undefined
  for (const [name, inner] of Object.entries(value)) {
    const child = childOf(node, name)
    const found = child && secretIn(inner, child, [...path, node.kind === 'list' ? Number(name) : name])
    if (found !== undefined) return found
  }
  return undefined
}

function unknownKey(printed: string, name: string, node: KeyNode, others: readonly string[] = []): string {
  const names = node.kind === 'section' ? [...node.keys.keys(), ...others] : []
  const nearest = nearestSpelling(name, names)
  const path = printed.slice(0, printed.length - name.length)
  return nearest === undefined ? `${printed} is unknown` : `${printed} is unknown; did you mean ${path}${nearest}?`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
