/** The configuration as it is shown to others: without secrets. */
import { CONFIG_KEYS, childOf, type KeyNode } from './keys.js'
import { MASK, oldView } from './old-keys.js'
import type { BrokerConfig } from './schema.js'

/**
 * For `$SYS/Coreflux/Config`: the keys that clients of Coreflux know, then ours. Sent back as it is, it changes nothing.
 * @param needsRestart keys of values that are not in force yet
 */
export function configView(config: BrokerConfig, needsRestart: readonly string[]): Readonly<Record<string, unknown>> {
  return { ...oldView(config), ...(shown(config, CONFIG_KEYS) as Record<string, unknown>), NeedsRestart: needsRestart }
}

/** What was left out stays out. */
function shown(value: unknown, node: KeyNode): unknown {
  if (value === undefined || node.kind === 'value') return node.kind === 'value' && node.secret && value ? MASK : value
  if (node.kind === 'list') return (value as readonly unknown[]).map((item) => shown(item, node.item))
  return Object.fromEntries(
    Object.entries(value as Readonly<Record<string, unknown>>).map(([name, inner]) => {
      const child = childOf(node, name)
      return [name, child === undefined ? inner : shown(inner, child)]
    }),
  )
}
