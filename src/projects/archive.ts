/** Projects as zip files. */
import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { crc32, inflateRaw } from 'node:zlib'
import type { Zippable } from 'fflate'
import { FILE_BYTES_MAX, FILES_MAX, PROJECT_BYTES_MAX, type ProjectFile } from './project-files.js'
import { refused } from './refusal.js'
import { checkArchivePath } from './safe-path.js'
import { readZipDirectory, type ZipEntry, type ZipLimits } from './zip-directory.js'

export const ZIP_BYTES_MAX = 32 * 1_048_576
const ZIP64_PREFIX = 'zip64:'
const LIMITS: ZipLimits = { files: FILES_MAX, fileBytes: FILE_BYTES_MAX, totalBytes: PROJECT_BYTES_MAX }
/** One archive of the same files is the same bytes. Zip files know no earlier time. */
const FIXED_TIME = new Date(1980, 0, 1)

const require = createRequire(import.meta.url)
const inflate = promisify(inflateRaw)

export function isZip64(text: string): boolean {
  return text.slice(0, ZIP64_PREFIX.length).toLowerCase() === ZIP64_PREFIX
}

/** @param text `zip64:` and a zip file in base64. @throws BrokerError PROJECT_REFUSED */
export function zipOfText(text: string): Buffer {
  const base64 = text.slice(ZIP64_PREFIX.length).replace(/\s+/g, '')
  if (base64.length > (ZIP_BYTES_MAX / 3) * 4) throw refused(`the archive has more than ${ZIP_BYTES_MAX} bytes`)
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw refused('what follows zip64: is not base64')
  return Buffer.from(base64, 'base64')
}

/**
 * Unpacks in memory. Bytes are bounded by what the directory promised, so that nothing grows beyond it.
 * @throws BrokerError PROJECT_REFUSED for archives that are damaged, too big or lead out of their folder
 */
export async function unpackArchive(zip: Buffer, limits: ZipLimits = LIMITS): Promise<ProjectFile[]> {
  if (zip.length > ZIP_BYTES_MAX) throw refused(`the archive has more than ${ZIP_BYTES_MAX} bytes`)
  const files: ProjectFile[] = []
  for (const entry of readZipDirectory(zip, limits)) {
    files.push({ path: entry.path, bytes: await unpackEntry(zip, entry) })
  }
  return files
}

async function unpackEntry(zip: Buffer, entry: ZipEntry): Promise<Buffer> {
  const packed = zip.subarray(entry.dataStart, entry.dataStart + entry.packedBytes)
  const bytes = entry.isDeflated ? await inflateBounded(packed, entry) : packed
  if (bytes.length !== entry.bytes || crc32(bytes) !== entry.crc) {
    throw refused(`the archive cannot be read: ${JSON.stringify(entry.path)} is damaged`)
  }
  return bytes
}

async function inflateBounded(packed: Buffer, { path, bytes }: ZipEntry): Promise<Buffer> {
  try {
    return await inflate(packed, { maxOutputLength: Math.max(1, bytes) })
  } catch (cause) {
    throw refused(`the archive cannot be read: ${JSON.stringify(path)} is damaged`, cause)
  }
}

/** Writes unpacked files into a folder that is new and empty, so that nothing there can redirect them. */
export async function writeFiles(folder: string, files: readonly ProjectFile[]): Promise<void> {
  for (const { path, bytes } of files) {
    const target = join(folder, path)
    await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    await writeFile(target, bytes, { flag: 'wx', mode: 0o600 })
  }
}

/** @throws BrokerError PROJECT_REFUSED for names that `unpackArchive` would refuse */
export function packArchive(files: readonly ProjectFile[]): Buffer {
  const tree: Zippable = Object.create(null)
  for (const { path, bytes } of files) {
    checkArchivePath(path)
    tree[path] = bytes
  }
  const { zipSync } = require('fflate') as typeof import('fflate')
  return Buffer.from(zipSync(tree, { level: 6, mtime: FIXED_TIME }))
}
