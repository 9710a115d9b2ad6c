/** The directory of a zip file (APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16), checked before anything is unpacked. */
import { refused } from './refusal.js'
import { checkArchivePath } from './safe-path.js'

export interface ZipEntry {
  readonly path: string
  readonly isDeflated: boolean
  readonly crc: number
  readonly packedBytes: number
  readonly bytes: number
  /** Where the packed bytes begin. */
  readonly dataStart: number
}

export interface ZipLimits {
  readonly files: number
  readonly fileBytes: number
  readonly totalBytes: number
}

const END_SIGNATURE = 0x06054b50
const END_BYTES = 22
const COMMENT_BYTES_MAX = 65_535
const CENTRAL_SIGNATURE = 0x02014b50
const CENTRAL_BYTES = 46
const LOCAL_SIGNATURE = 0x04034b50
const LOCAL_BYTES = 30
const ENCRYPTED = 1
const STORED = 0
const DEFLATED = 8
/** File types in the upper half of the external attributes, as Unix has them; 0 where the writer knows none. */
const TYPE_MASK = 0xf000
const PLAIN_TYPES: ReadonlySet<number> = new Set([0, 0x4000, 0x8000])
/** Text shrinks to a tenth; what grows more than this from a few bytes was made to do harm. */
const RATIO_MAX = 200
const RATIO_FREE_BYTES = 1_048_576

interface Central {
  readonly path: string
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly packedBytes: number
  readonly bytes: number
  readonly fileType: number
  readonly localStart: number
}

/** @returns the files, folders left out. @throws BrokerError PROJECT_REFUSED for what is damaged or dangerous */
export function readZipDirectory(zip: Buffer, limits: ZipLimits): ZipEntry[] {
  const { count, start, end } = readEnd(zip)
  if (count > limits.files) throw refused(`the archive has more than ${limits.files} entries`)
  const entries: ZipEntry[] = []
  let at = start
  for (let index = 0; index < count; index++) {
    if (at + CENTRAL_BYTES > end || zip.readUInt32LE(at) !== CENTRAL_SIGNATURE) throw damaged('its directory is broken')
    const nameBytes = zip.readUInt16LE(at + 28)
    const next = at + CENTRAL_BYTES + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
    if (next > end) throw damaged('its directory is broken')
    const central = readCentral(zip, at, nameBytes)
    checkCentral(central)
    if (!central.path.endsWith('/')) entries.push(readLocal(zip, central, start))
    at = next
  }
  checkSizes(entries, limits)
  checkNames(entries)
  checkOverlap(entries)
  return entries
}

function readEnd(zip: Buffer): { count: number; start: number; end: number } {
  const lowest = Math.max(0, zip.length - END_BYTES - COMMENT_BYTES_MAX)
  for (let at = zip.length - END_BYTES; at >= lowest; at--) {
    if (zip.readUInt32LE(at) !== END_SIGNATURE) continue
    const count = zip.readUInt16LE(at + 10)
    const start = zip.readUInt32LE(at + 16)
    const end = start + zip.readUInt32LE(at + 12)
    if (zip.readUInt16LE(at + 4) !== 0 || zip.readUInt16LE(at + 8) !== count) throw damaged('it is one part of several')
    if (count === 0xffff || start === 0xffffffff) throw damaged('archives of 4 GB and more are not accepted')
    if (end > at) throw damaged('its directory is broken')
    return { count, start, end }
  }
  throw damaged('it is no zip file')
}

function readCentral(zip: Buffer, at: number, nameBytes: number): Central {
  return {
    path: nameOf(zip.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameBytes)),
    flags: zip.readUInt16LE(at + 8),
    method: zip.readUInt16LE(at + 10),
    crc: zip.readUInt32LE(at + 16),
    packedBytes: zip.readUInt32LE(at + 20),
    bytes: zip.readUInt32LE(at + 24),
    fileType: zip.readUInt16LE(at + 40) & TYPE_MASK,
    localStart: zip.readUInt32LE(at + 42),
  }
}

function nameOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw refused('the archive holds a name that is not UTF-8', cause)
  }
}

function checkCentral({ path, flags, method, fileType }: Central): void {
  checkArchivePath(path.endsWith('/') ? path.slice(0, -1) : path)
  if (!PLAIN_TYPES.has(fileType)) {
    throw refused(`the archive holds ${JSON.stringify(path)}: symbolic links and devices are not accepted`)
  }
  if ((flags & ENCRYPTED) !== 0) throw refused('encrypted archives are not accepted')
  if (method !== STORED && method !== DEFLATED) {
    throw refused(`the archive uses compression method ${method}; use store or deflate`)
  }
}

/** The local header must agree: programs differ in which of the two they believe. */
function readLocal(zip: Buffer, central: Central, directoryStart: number): ZipEntry {
  const { path, method, crc, packedBytes, bytes, localStart } = central
  if (localStart + LOCAL_BYTES > directoryStart || zip.readUInt32LE(localStart) !== LOCAL_SIGNATURE) {
    throw damaged(`${JSON.stringify(path)} is not where its directory says`)
  }
  const nameStart = localStart + LOCAL_BYTES
  const nameEnd = nameStart + zip.readUInt16LE(localStart + 26)
  const dataStart = nameEnd + zip.readUInt16LE(localStart + 28)
  if (dataStart + packedBytes > directoryStart) throw damaged(`${JSON.stringify(path)} is cut off`)
  if (nameOf(zip.subarray(nameStart, nameEnd)) !== path || zip.readUInt16LE(localStart + 8) !== method) {
    throw damaged(`${JSON.stringify(path)} is described in two ways`)
  }
  if (method === STORED && packedBytes !== bytes) throw damaged(`${JSON.stringify(path)} has two sizes`)
  return { path, isDeflated: method === DEFLATED, crc, packedBytes, bytes, dataStart }
}

function checkSizes(entries: readonly ZipEntry[], limits: ZipLimits): void {
  let total = 0
  for (const { path, bytes, packedBytes } of entries) {
    if (bytes > limits.fileBytes) throw refused(`${JSON.stringify(path)} has more than ${limits.fileBytes} bytes`)
    if (bytes > RATIO_FREE_BYTES && bytes > packedBytes * RATIO_MAX) {
      throw refused(`${JSON.stringify(path)} is compressed to less than 1/${RATIO_MAX}`)
    }
    total += bytes
  }
  if (total > limits.totalBytes) throw refused(`the archive unpacks to more than ${limits.totalBytes} bytes`)
}

/** Names that are one on Windows and macOS are refused everywhere; so is a file that another takes for a folder. */
function checkNames(entries: readonly ZipEntry[]): void {
  const names = new Set<string>()
  for (const { path } of entries) {
    const name = path.normalize('NFC').toLowerCase()
    if (names.has(name)) throw refused(`the archive holds ${JSON.stringify(path)} twice`)
    names.add(name)
  }
  for (const name of names) {
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      if (names.has(name.slice(0, at))) throw refused(`the archive holds ${JSON.stringify(name.slice(0, at))} twice`)
    }
  }
}

/** Many entries over the same bytes unpack to far more than the file has. */
function checkOverlap(entries: readonly ZipEntry[]): void {
  const byStart = [...entries].sort((one, other) => one.dataStart - other.dataStart)
  for (const [index, { dataStart, packedBytes }] of byStart.entries()) {
    const next = byStart[index + 1]
    if (next !== undefined && dataStart + packedBytes + LOCAL_BYTES > next.dataStart) {
      throw damaged(`${JSON.stringify(next.path)} overlaps another entry`)
    }
  }
}

function damaged(reason: string): Error {
  return refused(`the archive cannot be read: ${reason}`)
}
