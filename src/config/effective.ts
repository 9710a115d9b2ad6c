/** The values of a complete configuration, one by one. */
import { CONFIG_KEYS, type KeyNode, type KeyPath, type Value } from './keys.js'
import type { BrokerConfig } from './schema.js'

export interface EffectiveValue {
  readonly path: KeyPath
  readonly node: Value
  /** `undefined` where it was left out and has no default. */
  readonly value: unknown
}

/** Every value in the order of the schema, entry by entry in lists; groups that were left out are not entered. */
export function effectiveValues(config: BrokerConfig): Generator<EffectiveValue> {
  return valuesBelow(CONFIG_KEYS, config, [])
}

function* valuesBelow(node: KeyNode, value: unknown, path: KeyPath): Generator<EffectiveValue> {
  if (node.kind === 'value') {
    yield { path, node, value }
  } else if (node.kind === 'list') {
    for (const [index, item] of (value as readonly unknown[]).entries()) {
      yield* valuesBelow(node.item, item, [...path, index])
    }
  } else if (value !== undefined) {
    for (const [name, child] of node.keys) {
      yield* valuesBelow(child, (value as Readonly<Record<string, unknown>>)[name], [...path, name])
    }
  }
}
