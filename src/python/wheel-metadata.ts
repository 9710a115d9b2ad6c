/** METADATA and WHEEL of a wheel: the headers of a letter, as the core metadata of packages are written. */
import { isPackageName, normalisedName } from './wheel-name.js'

/** Another package that this one wants. */
export interface Requirement {
  /** As it is written there. */
  readonly name: string
  /** `>=1.5`; empty for any version. */
  readonly versions: string
  /** Where only some installations need it: `python_version < "3.9"`. */
  readonly condition: string | undefined
}

/** Values by the names of headers in lower case; what follows the headers is left out. */
export type Headers = ReadonlyMap<string, readonly string[]>

/** They are kept and shown; those of real packages have a tenth of it. */
const REQUIREMENT_CHARACTERS_MAX = 1_000
const REQUIREMENT = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(\([^)]*\)|[^;@]*)(?:@[^;]*)?(?:;(.*))?$/s

export function parseHeaders(text: string): Headers {
  const headers = new Map<string, string[]>()
  let values: string[] | undefined
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line === '') break
    if (/^[ \t]/.test(line)) {
      if (values !== undefined) values[values.length - 1] += ` ${line.trim()}`
      continue
    }
    const colon = line.indexOf(':')
    if (colon < 1) continue
    const name = line.slice(0, colon).toLowerCase()
    values = headers.get(name) ?? []
    headers.set(name, values)
    values.push(line.slice(colon + 1).trim())
  }
  return headers
}

/** The first one of that name, if there is any. */
export function header(headers: Headers, name: string): string | undefined {
  return headers.get(name)?.[0]
}

/** What it needs by itself: what belongs to an extra is for those who ask for that. */
export function requirementsOf(headers: Headers): Requirement[] {
  const found: Requirement[] = []
  for (const text of headers.get('requires-dist') ?? []) {
    if (text.length > REQUIREMENT_CHARACTERS_MAX) continue
    const match = REQUIREMENT.exec(text)
    if (match === null || !isPackageName(match[1])) continue
    const condition = match[3]?.trim()
    if (condition !== undefined && /\bextra\b/.test(condition)) continue
    const versions = match[2].replace(/^\(|\)$/g, '').trim()
    found.push({ name: match[1], versions, condition: condition === '' ? undefined : condition })
  }
  return found
}

/** One line for each that is not there, with what to do. @param installed normalised names */
export function missingRequirements(requires: readonly Requirement[], installed: ReadonlySet<string>): string[] {
  return requires
    .filter(({ name }) => !installed.has(normalisedName(name)))
    .map(({ name, versions, condition }) => {
      const what = `${name}${versions}`
      return condition === undefined
        ? `It needs ${what}: install it too`
        : `It needs ${what} where ${condition}: install it too if that holds`
    })
}
