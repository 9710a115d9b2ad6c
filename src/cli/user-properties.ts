/** User properties on the command line: `name=value`, repeatable. */
import { wrongUsage } from './exit.js'

/**
 * In the form of MQTT.js: the values of one name stay in order.
 * @throws CommandError for one without `=`
 */
export function userPropertiesOf(texts: readonly string[]): Record<string, string | string[]> | undefined {
  if (texts.length === 0) return undefined
  const properties = new Map<string, string[]>()
  for (const text of texts) {
    const separator = text.indexOf('=')
    if (separator === -1) throw wrongUsage(`the user property ${text} has no value`, 'write --user-property name=value')
    const name = text.slice(0, separator)
    properties.set(name, [...(properties.get(name) ?? []), text.slice(separator + 1)])
  }
  return Object.fromEntries([...properties].map(([name, values]) => [name, values.length === 1 ? values[0]! : values]))
}
