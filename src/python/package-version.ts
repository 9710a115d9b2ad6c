/** Versions of Python packages, as PEP 440 writes and orders them. */

/** Of the Python that runs scripts (pyodide 314). */
export const PYTHON_VERSION = '3.14.0'

const VERSION = new RegExp(
  [
    /^v?(?:(?<epoch>\d{1,9})!)?(?<release>\d{1,9}(?:\.\d{1,9}){0,20})/,
    /(?:[-_.]?(?<phase>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?<phaseNumber>\d{0,9}))?/,
    /(?:-(?<bare>\d{1,9})|[-_.]?(?<post>post|rev|r)[-_.]?(?<postNumber>\d{0,9}))?/,
    /(?:[-_.]?(?<dev>dev)[-_.]?(?<devNumber>\d{0,9}))?/,
    /(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$/,
  ]
    .map(({ source }) => source)
    .join(''),
  'i',
)
const VERSION_CHARACTERS_MAX = 128
const PHASES: Readonly<Record<string, number>> = {
  a: -3,
  alpha: -3,
  b: -2,
  beta: -2,
  c: -1,
  pre: -1,
  preview: -1,
  rc: -1,
}
/** Before all phases: `1.0.dev1` comes before `1.0a1`. */
const DEVELOPMENT = -4
const FINAL = 0

interface Version {
  readonly release: readonly number[]
  /** What decides where releases are the same, the first one first. */
  readonly rest: readonly number[]
  readonly isFinal: boolean
}

export function isVersion(text: string): boolean {
  return parse(text) !== undefined
}

/** Whether it is neither for testing nor of a development. */
export function isFinalVersion(text: string): boolean {
  return parse(text)?.isFinal === true
}

/** @returns less than 0 where `one` is older; what is no version is older than all */
export function compareVersions(one: string, other: string): number {
  const [first, second] = [parse(one), parse(other)]
  if (first === undefined || second === undefined) return Number(first !== undefined) - Number(second !== undefined)
  return compareNumbers(first.release, second.release) || compareNumbers(first.rest, second.rest)
}

/**
 * Whether Python has a version that a package asks for.
 * @param specifier as in `Requires-Python`: `>=3.8, !=3.9.*`; parts that cannot be understood ask for nothing
 */
export function fitsPython(specifier: string, version = PYTHON_VERSION): boolean {
  return specifier.split(',').every((part) => {
    const match = /^\s*(~=|===?|!=|<=|>=|<|>)\s*([^\s*]+?)(\.\*)?\s*$/.exec(part)
    return match === null || !isVersion(match[2]) || fits(version, match[1], match[2], match[3] !== undefined)
  })
}

function fits(version: string, operator: string, wanted: string, isPrefix: boolean): boolean {
  const order = compareVersions(version, wanted)
  const isSame = isPrefix ? startsWith(version, wanted) : order === 0
  switch (operator) {
    case '>=':
      return order >= 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '<':
      return order < 0
    case '!=':
      return !isSame
    case '~=':
      return order >= 0 && startsWith(version, wanted.split('.').slice(0, -1).join('.'))
    default:
      return isSame
  }
}

function startsWith(version: string, prefix: string): boolean {
  const [all, start] = [parse(version)?.release ?? [], parse(prefix)?.release ?? []]
  return start.every((number, index) => (all[index] ?? 0) === number)
}

function parse(text: string): Version | undefined {
  const groups = text.length > VERSION_CHARACTERS_MAX ? undefined : VERSION.exec(text.trim())?.groups
  if (groups === undefined) return undefined
  const isPost = groups.post !== undefined || groups.bare !== undefined
  const isDevelopment = groups.dev !== undefined
  const early = isDevelopment && !isPost ? DEVELOPMENT : FINAL
  const phase = groups.phase === undefined ? early : PHASES[groups.phase.toLowerCase()]
  const post = isPost ? Number(groups.bare ?? groups.postNumber) : -1
  const development = isDevelopment ? Number(groups.devNumber) : Number.POSITIVE_INFINITY
  return {
    release: [Number(groups.epoch ?? 0), ...groups.release.split('.').map(Number)],
    rest: [phase, Number(groups.phaseNumber ?? 0), post, development],
    isFinal: groups.phase === undefined && !isDevelopment,
  }
}

/** What is left out at the end counts as 0. */
function compareNumbers(one: readonly number[], other: readonly number[]): number {
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    const [first, second] = [one[index] ?? 0, other[index] ?? 0]
    if (first !== second) return first < second ? -1 : 1
  }
  return 0
}
