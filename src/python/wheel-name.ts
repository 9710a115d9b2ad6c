/** Names of packages (PEP 503, 508) and of the files that hold them (PEP 427). */
import { compareVersions, isFinalVersion, isVersion } from './package-version.js'

export interface WheelName {
  /** Normalised. */
  readonly name: string
  readonly version: string
  /** `py3-none-any`; several in one, as they stand there. */
  readonly tag: string
}

/** What `-installPythonPackage` and pip take for a package: `name`, or `name==version`. */
export interface WantedPackage {
  /** As it was written. */
  readonly name: string
  readonly version: string | undefined
}

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/
const FILE_CHARACTERS_MAX = 255
/** Of interpreters that run what is written for Python 3 of any version. */
const PURE_PYTHON = /^py3\d{0,2}$/

export function isPackageName(text: string): boolean {
  return NAME.test(text)
}

/** One name for all ways to write it: `Python_DateUtil` is `python-dateutil`. */
export function normalisedName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-')
}

/** @param file `name-version-(build-)python-abi-platform.whl`, without a folder @returns undefined for another name */
export function parseWheelName(file: string): WheelName | undefined {
  if (file.length > FILE_CHARACTERS_MAX || !/^[\w.!+-]+\.whl$/i.test(file)) return undefined
  const parts = file.slice(0, -'.whl'.length).split('-')
  const [name, version, third] = parts
  if (parts.length !== 5 && !(parts.length === 6 && /^\d/.test(third))) return undefined
  if (!isPackageName(name) || !isVersion(version)) return undefined
  return { name: normalisedName(name), version, tag: parts.slice(-3).join('-') }
}

/** Whether that is pure Python 3, as in `py3-none-any` and `py2.py3-none-any`. @param tag also several in one */
export function isPureTag(tag: string): boolean {
  const [interpreters, abis, platforms] = tag.split('-').map((part) => part.split('.'))
  return (
    interpreters.some((interpreter) => PURE_PYTHON.test(interpreter)) &&
    abis?.includes('none') === true &&
    platforms?.includes('any') === true
  )
}

/** @returns undefined for what is neither a name nor `name==version` */
export function parseWanted(text: string): WantedPackage | undefined {
  const [name, version, ...more] = text.split('==').map((part) => part.trim())
  if (!isPackageName(name) || more.length > 0 || (version !== undefined && !isVersion(version))) return undefined
  return { name, version }
}

/**
 * @param files names of files
 * @returns the file of that version, otherwise the newest one; one that is not final only where there is no other
 */
export function pickWheel(files: readonly string[], { name, version }: WantedPackage): string | undefined {
  const wanted = normalisedName(name)
  const found = files
    .map((file) => ({ file, wheel: parseWheelName(file) }))
    .filter(({ wheel }) => wheel?.name === wanted && isPureTag(wheel.tag))
    .filter(({ wheel }) => version === undefined || compareVersions(wheel?.version ?? '', version) === 0)
    .sort((one, other) => {
      const [first, second] = [one.wheel?.version ?? '', other.wheel?.version ?? '']
      const finalFirst = Number(isFinalVersion(second)) - Number(isFinalVersion(first))
      return finalFirst || compareVersions(second, first) || (one.file < other.file ? 1 : -1)
    })
  return found[0]?.file
}
