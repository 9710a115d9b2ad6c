/** A wheel (PEP 427): a zip file with a Python package. Read and checked as a whole before anything of it is used. */
import { isUtf8 } from 'node:buffer'
import { BrokerError, messageOf } from '../base/errors.js'
import { unpackArchive } from '../projects/archive.js'
import type { ProjectFile } from '../projects/project-files.js'
import { fitsPython, isVersion, PYTHON_VERSION } from './package-version.js'
import type { PackageFiles } from './python-package.js'
import { type Headers, header, parseHeaders, type Requirement, requirementsOf } from './wheel-metadata.js'
import { isPackageName, isPureTag, normalisedName, parseWheelName } from './wheel-name.js'
import { checkRecord } from './wheel-record.js'
import { wheelRefused } from './wheel-refused.js'

export const WHEEL_BYTES_MAX = 8 * 1_048_576
const LIMITS = { files: 4_000, fileBytes: 16 * 1_048_576, totalBytes: 64 * 1_048_576 }
/** Of the modules of one package. */
const SOURCE_BYTES_MAX = 8 * 1_048_576
const REQUIREMENTS_MAX = 500

const INFO_FOLDER = /^([^/]+)\.dist-info\//
const NATIVE = /\.(?:so|pyd|dll|dylib|a|o|wasm)(?:\.[\d.]+)?$/i
const IDENTIFIER = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u
const NATIVE_REMEDY =
  'only wheels in pure Python (py3-none-any) can be installed; ' +
  'leave what needs native code to a client that subscribes to the input and publishes the result'

export interface Wheel {
  /** As its author writes it. */
  readonly name: string
  readonly version: string
  readonly requires: readonly Requirement[]
  /** First parts of the names of its modules, sorted. */
  readonly topLevel: readonly string[]
  readonly sourceBytes: number
  readonly files: PackageFiles
}

/**
 * @param file its name, if that is known
 * @throws BrokerError PACKAGE_REFUSED with what is wrong, and what to do
 */
export async function readWheel(bytes: Buffer, file?: string): Promise<Wheel> {
  if (file === undefined) return read(bytes, undefined)
  checkName(file)
  try {
    return await read(bytes, file)
  } catch (error) {
    // one of many, perhaps
    throw error instanceof BrokerError ? wheelRefused(`${file}: ${messageOf(error)}`, error) : error
  }
}

async function read(bytes: Buffer, file: string | undefined): Promise<Wheel> {
  if (bytes.length > WHEEL_BYTES_MAX) throw wheelRefused(`the wheel has more than ${WHEEL_BYTES_MAX} bytes`)
  const files = await unpack(bytes)
  const folder = infoFolder(files)
  checkTags(parseHeaders(textOf(files, `${folder}/WHEEL`)))
  checkRecord(textOf(files, `${folder}/RECORD`), files, folder)
  const native = files.find(({ path }) => NATIVE.test(path))
  if (native !== undefined) throw wheelRefused(`the wheel holds native code (${native.path}): ${NATIVE_REMEDY}`)
  const metadata = parseHeaders(textOf(files, `${folder}/METADATA`))
  const { name, version } = identityOf(metadata, folder, file)
  const modules = modulesOf(files, folder)
  return { name, version, requires: requirementsOf(metadata).slice(0, REQUIREMENTS_MAX), ...modules }
}

/** @throws BrokerError PACKAGE_REFUSED for a file that cannot be installed, which its name shows */
export function checkName(file: string): void {
  const parsed = parseWheelName(file)
  if (parsed === undefined) {
    throw wheelRefused(`${JSON.stringify(file)} is no name of a wheel: they are like name-1.0-py3-none-any.whl`)
  }
  if (!isPureTag(parsed.tag)) throw wheelRefused(`${file} is made for ${parsed.tag}: ${NATIVE_REMEDY}`)
}

async function unpack(bytes: Buffer): Promise<ProjectFile[]> {
  try {
    return await unpackArchive(bytes, LIMITS)
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    throw wheelRefused(`the wheel is refused: ${messageOf(error)}`, error)
  }
}

/** @returns `name-version.dist-info`, of which there is one */
function infoFolder(files: readonly ProjectFile[]): string {
  const found = new Set(files.map(({ path }) => INFO_FOLDER.exec(path)?.[1]).filter((name) => name !== undefined))
  const [folder, another] = found
  if (folder === undefined) throw wheelRefused('this is no wheel: it has no folder name-version.dist-info')
  if (another !== undefined) throw wheelRefused('the wheel has more than one folder name-version.dist-info')
  return `${folder}.dist-info`
}

function textOf(files: readonly ProjectFile[], path: string): string {
  const file = files.find((one) => one.path === path)
  if (file === undefined) throw wheelRefused(`the wheel has no ${path}`)
  return decode(file)
}

function decode({ path, bytes }: ProjectFile): string {
  if (!isUtf8(bytes)) throw wheelRefused(`${path} of the wheel is not UTF-8`)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
}

function checkTags(wheel: Headers): void {
  const format = header(wheel, 'wheel-version') ?? ''
  if (!/^1\.\d+$/.test(format)) {
    throw wheelRefused(`wheels of version ${JSON.stringify(format)} are not known: only those of version 1`)
  }
  const tags = wheel.get('tag') ?? []
  if (header(wheel, 'root-is-purelib')?.toLowerCase() !== 'true' || !tags.some(isPureTag)) {
    throw wheelRefused(`the wheel is made for ${tags.join(', ') || 'one kind of machine'}: ${NATIVE_REMEDY}`)
  }
}

/** Three places tell it, and must agree. */
function identityOf(
  metadata: Headers,
  folder: string,
  file: string | undefined,
): { readonly name: string; readonly version: string } {
  const [name, version] = [header(metadata, 'name') ?? '', header(metadata, 'version') ?? '']
  if (!isPackageName(name)) throw wheelRefused('METADATA of the wheel names no package')
  if (!isVersion(version)) throw wheelRefused(`METADATA of the wheel has no version of ${name}`)
  const told = folder.slice(0, -'.dist-info'.length)
  const parsed = file === undefined ? undefined : parseWheelName(file)
  for (const other of parsed === undefined ? [told] : [told, `${parsed.name}-${parsed.version}`]) {
    // underlines stand for what a file name does not take
    if (normalisedName(other.replace('+', '.')) === normalisedName(`${name}-${version}`.replace('+', '.'))) continue
    throw wheelRefused(`the wheel is called ${other}, and says in METADATA that it is ${name} ${version}`)
  }
  const python = header(metadata, 'requires-python')
  if (python !== undefined && !fitsPython(python)) {
    throw wheelRefused(
      `${name} ${version} is for Python ${python}; this is Python ${PYTHON_VERSION}: try another version`,
    )
  }
  return { name, version }
}

/** Modules alone: there is no file system to read other files from. */
function modulesOf(
  files: readonly ProjectFile[],
  folder: string,
): { readonly topLevel: readonly string[]; readonly sourceBytes: number; readonly files: PackageFiles } {
  const modules: Record<string, string> = Object.create(null)
  let sourceBytes = 0
  for (const file of files) {
    const path = installedPath(file.path, folder)
    if (path === undefined || !isModulePath(path)) continue
    sourceBytes += file.bytes.length
    if (sourceBytes > SOURCE_BYTES_MAX) throw wheelRefused(`its modules have more than ${SOURCE_BYTES_MAX} bytes`)
    modules[path] = decode(file)
  }
  const topLevel = [...new Set(Object.keys(modules).map((path) => path.split(/[./]/, 1)[0]))].sort()
  if (topLevel.length === 0) throw wheelRefused('the wheel holds no module')
  return { topLevel, sourceBytes, files: modules }
}

/** @returns undefined for what is put elsewhere, such as programs */
function installedPath(path: string, folder: string): string | undefined {
  if (path.startsWith(`${folder}/`)) return undefined
  const data = `${folder.slice(0, -'.dist-info'.length)}.data/`
  if (!path.startsWith(data)) return path
  return path.startsWith(`${data}purelib/`) ? path.slice(`${data}purelib/`.length) : undefined
}

/** Whether `import` can say it. */
function isModulePath(path: string): boolean {
  return (
    path.endsWith('.py') &&
    path
      .slice(0, -'.py'.length)
      .split('/')
      .every((part) => IDENTIFIER.test(part))
  )
}
