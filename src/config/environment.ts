/** Configuration from environment variables: `MERLOT_SESSION__RECEIVE_MAXIMUM` is `session.receiveMaximum`. */
import { nearestSpelling } from '../base/spelling.js'
import { allKeys, CONFIG_KEYS, childOf, type KeyNode, type KeyPath } from './keys.js'

export const PREFIX = 'MERLOT_'

/** Variables of the program that are not keys of the configuration. */
const OTHER_VARIABLES = new Set(['MERLOT_CONFIG', 'MERLOT_PASSWORD', 'MERLOT_PREDECESSOR', 'MERLOT_ROOT_PASSWORD'])

export interface EnvironmentSetting {
  readonly variable: string
  readonly path: KeyPath
  readonly text: string
}

export interface EnvironmentSettings {
  readonly settings: readonly EnvironmentSetting[]
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** `MERLOT_CONNECTION__CONNECT_SECONDS`: steps in capitals with `_` between words, joined by `__`. */
export function environmentName(path: KeyPath): string {
  return PREFIX + path.map(capitals).join('__')
}

function capitals(step: string | number): string {
  return String(step)
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()
}

/**
 * The settings among the variables; empty ones count as not set. An unknown name with `__` is a problem. One without is
 * only worth a warning: Kubernetes and others set variables such as `MERLOT_PORT` for a service of the name `merlot`.
 */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): EnvironmentSettings {
  const settings: EnvironmentSetting[] = []
  const problems: string[] = []
  const warnings: string[] = []
  for (const variable of Object.keys(variables).sort()) {
    const text = variables[variable]
    if (!variable.startsWith(PREFIX) || OTHER_VARIABLES.has(variable) || text === undefined || text === '') continue
    const path = pathOfVariable(variable)
    if (path !== undefined) settings.push({ variable, path, text })
    else if (variable.includes('__')) problems.push(unknownText(variable))
    else warnings.push(`environment variable ${unknownText(variable)}; it has no effect`)
  }
  return { settings, problems, warnings }
}

function pathOfVariable(variable: string): KeyPath | undefined {
  const path: (string | number)[] = []
  let node: KeyNode = CONFIG_KEYS
  for (const step of variable.slice(PREFIX.length).split('__')) {
    const name: string | undefined =
      node.kind === 'section' ? [...node.keys.keys()].find((key) => capitals(key) === step) : step
    const child: KeyNode | undefined = name === undefined ? undefined : childOf(node, name)
    if (name === undefined || child === undefined) return undefined
    path.push(node.kind === 'list' ? Number(name) : name)
    node = child
  }
  return path
}

function unknownText(variable: string): string {
  const names = [...allKeys()].map(([path]) => environmentName(path))
  const nearest = nearestSpelling(variable, names)
  return nearest === undefined ? `${variable} is unknown` : `${variable} is unknown; did you mean ${nearest}?`
}
