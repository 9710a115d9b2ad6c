/** Python packages: wheels that were sent, or lie in a folder; checked, kept, and given to Python at each start. */
import { BrokerError, messageOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import { needsNoInstallation, notFoundText } from '../python/packages.js'
import type { PackageChange, PythonPackage, ReloadedScript } from '../python/python-package.js'
import { readWheel, WHEEL_BYTES_MAX, type Wheel } from '../python/wheel.js'
import { missingRequirements, type Requirement } from '../python/wheel-metadata.js'
import { normalisedName, parseWanted } from '../python/wheel-name.js'
import { findWheel } from '../python/wheels-folder.js'
import type { Changes } from './changes.js'
import { failure, type Reply, success } from './envelope.js'
import type { Library } from './library.js'

/** As it is kept, by its normalised name. */
export interface InstalledPackage {
  /** As its author writes it. */
  readonly name: string
  readonly version: string
  readonly requires: readonly Requirement[]
  /** Of its modules. */
  readonly sourceBytes: number
  /** The file in base64, as it came. */
  readonly wheel: string
}

/** What runs packages. */
export interface PackageRunner {
  /** For one that was installed before. */
  keepPackage(made: PythonPackage): void
  install(made: PythonPackage): Promise<PackageChange>
  uninstall(name: string): Promise<PackageChange>
  /** @returns a line for each that a script could not import now, as far as there is time to try */
  importProblems(modules: readonly string[]): Promise<readonly string[]>
}

export interface PackagesParts {
  readonly library: Library
  readonly changes: Changes
  readonly runner: PackageRunner | undefined
  /** Empty for none. */
  readonly wheelsFolder: string
  readonly log: Logger
}

interface FoundWheel {
  readonly bytes: Buffer
  /** Name of the file, if it is known. */
  readonly file: string | undefined
}

const TITLE = 'Python package'
const PREFIX = 'whl64:'
const USAGE =
  'Name a package, or send a wheel: -installPythonPackage NAME, or -installPythonPackage [FILE.whl] whl64:BASE64; ' +
  'merlot python install FILE.whl does the latter'
const PACKAGES_MAX = 200
const ALL_WHEELS_BYTES_MAX = 64 * 1_048_576
const ALL_SOURCES_BYTES_MAX = 32 * 1_048_576
/** Top-level modules whose import is tried after an installation. */
const TRIED_MAX = 5

export class PythonPackages {
  readonly #parts: PackagesParts

  constructor(parts: PackagesParts) {
    this.#parts = parts
  }

  /** @param words name or `name==version`; or the wheel after `whl64:`, with the name of its file before that or without */
  async install(words: readonly string[]): Promise<Reply> {
    const { runner } = this.#parts
    try {
      const found = await this.#find(words)
      if (typeof found === 'string') return failure(found)
      if (runner === undefined) return failure('Python is not available')
      return await this.#install(found.bytes, await readWheel(found.bytes, found.file), runner)
    } catch (error) {
      if (error instanceof BrokerError && error.code === 'PACKAGE_REFUSED') return failure(error.message)
      throw error
    }
  }

  async remove(name: string): Promise<Reply> {
    const key = normalisedName(name)
    const { library, changes, runner, log } = this.#parts
    const found = library.packages.get(key)
    if (found === undefined) return failure(`${TITLE} '${name}' is not installed.`)
    await changes.make((draft) => draft.packages.delete(key))
    const change = await runner?.uninstall(key)
    log.info('Python package removed', { package: found.name, version: found.version })
    return success(`${TITLE} '${found.name}' removed successfully!`, {
      entity: { type: TITLE, name: found.name },
      warnings: [...this.#usersOf(key), ...warningsOf(change)],
    })
  }

  list(): Reply {
    const data = packageList(this.#parts.library.packages.values())
    const count = data.length === 1 ? '1 package' : `${data.length} packages`
    return success(data.length === 0 ? 'No packages besides the standard library.' : count, { data })
  }

  /** Gives all that are kept to Python, for when it begins. */
  async keepAll(): Promise<void> {
    const { library, runner, log } = this.#parts
    for (const [name, { wheel }] of library.packages) {
      try {
        const { files } = await readWheel(Buffer.from(wheel, 'base64'))
        runner?.keepPackage({ name, files })
      } catch (error) {
        log.error('a Python package cannot be loaded: install it again', { package: name, reason: messageOf(error) })
      }
    }
  }

  /** @returns a text where there is none */
  async #find([first, second, ...more]: readonly string[]): Promise<FoundWheel | string> {
    const payload = [first, second].find((word) => word?.toLowerCase().startsWith(PREFIX))
    if (first === undefined || more.length > 0 || (second !== undefined && payload !== second)) return USAGE
    if (payload !== undefined) {
      const bytes = bytesOf(payload.slice(PREFIX.length))
      return typeof bytes === 'string' ? bytes : { bytes, file: second === undefined ? undefined : first }
    }
    if (first.toLowerCase().endsWith('.whl')) return `The content of ${first} is missing. ${USAGE}`
    const wanted = parseWanted(first)
    if (wanted === undefined) return `'${first}' is no name of a package, nor name==version. ${USAGE}`
    const needless = needsNoInstallation(wanted.name)
    if (needless !== undefined) return needless
    const { wheelsFolder } = this.#parts
    if (wheelsFolder === '') return notFoundText(wanted, undefined)
    return (await findWheel(wheelsFolder, wanted)) ?? notFoundText(wanted, { folder: wheelsFolder })
  }

  async #install(bytes: Buffer, wheel: Wheel, runner: PackageRunner): Promise<Reply> {
    const { library, changes, log } = this.#parts
    const name = normalisedName(wheel.name)
    const before = library.packages.get(name)
    const excess = this.#excess(name, bytes.length, wheel.sourceBytes)
    if (excess !== undefined) return failure(excess)
    const change = await runner.install({ name, files: wheel.files })
    if (change.kind === 'refused') return failure(`${TITLE} '${wheel.name}' cannot be installed: ${change.message}`)
    const kept: InstalledPackage = {
      name: wheel.name,
      version: wheel.version,
      requires: wheel.requires,
      sourceBytes: wheel.sourceBytes,
      wheel: bytes.toString('base64'),
    }
    try {
      await changes.make((draft) => draft.packages.set(name, kept))
    } catch (error) {
      // it could not be kept: what was before holds
      if (before === undefined) await runner.uninstall(name)
      else await runner.install({ name, files: (await readWheel(Buffer.from(before.wheel, 'base64'))).files })
      throw error
    }
    log.info('Python package installed', { package: wheel.name, version: wheel.version })
    const missing = missingRequirements(wheel.requires, new Set(library.packages.keys()))
    const problems = await runner.importProblems(wheel.topLevel.slice(0, TRIED_MAX))
    return success(`${TITLE} '${wheel.name}' ${wheel.version} installed successfully.`, {
      entity: { type: TITLE, name: wheel.name },
      data: { name: wheel.name, version: wheel.version, modules: wheel.topLevel },
      warnings: [...missing, ...problems, ...warningsOf(change)],
    })
  }

  #excess(name: string, wheelBytes: number, sourceBytes: number): string | undefined {
    const others = [...this.#parts.library.packages].filter(([key]) => key !== name).map(([, one]) => one)
    const wheels = others.reduce((sum, { wheel }) => sum + Buffer.byteLength(wheel, 'base64'), wheelBytes)
    const sources = others.reduce((sum, one) => sum + one.sourceBytes, sourceBytes)
    const limit =
      others.length >= PACKAGES_MAX
        ? `${PACKAGES_MAX} packages`
        : wheels > ALL_WHEELS_BYTES_MAX
          ? `${ALL_WHEELS_BYTES_MAX} bytes of wheels`
          : sources > ALL_SOURCES_BYTES_MAX
            ? `${ALL_SOURCES_BYTES_MAX} bytes of modules`
            : undefined
    return limit && `There would be more than ${limit}: remove packages that nothing needs (-removePythonPackage)`
  }

  /** Installed packages that want it. */
  #usersOf(removed: string): string[] {
    return [...this.#parts.library.packages.values()]
      .filter(({ requires }) =>
        requires.some((one) => one.condition === undefined && normalisedName(one.name) === removed),
      )
      .map(({ name }) => `${TITLE} '${name}' needs it`)
  }
}

/** As `-listPythonPackages` and the topic `Python/Packages` have it. */
export function packageList(
  packages: Iterable<InstalledPackage>,
): readonly { readonly name: string; readonly version: string }[] {
  return [...packages]
    .map(({ name, version }) => ({ name, version }))
    .sort((one, other) => (normalisedName(one.name) < normalisedName(other.name) ? -1 : 1))
}

/** @returns a text if it is none */
function bytesOf(base64: string): Buffer | string {
  if (base64.length > Math.ceil(WHEEL_BYTES_MAX / 3) * 4) return `The wheel has more than ${WHEEL_BYTES_MAX} bytes`
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return `What follows ${PREFIX} is not base64`
  return Buffer.from(base64, 'base64')
}

function warningsOf(change: PackageChange | undefined): string[] {
  if (change === undefined) return []
  if (change.kind === 'refused') return [`Python has not taken the change: ${change.message}`]
  return change.reloaded.filter(isFailed).map(({ script, failure }) => {
    return `Python script '${script}' cannot be loaded: ${failure}`
  })
}

function isFailed({ failure }: ReloadedScript): boolean {
  return failure !== undefined
}
