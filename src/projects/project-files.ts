/** The files of a project's folder, within bounds. */
import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { refused } from './refusal.js'

export interface ProjectFile {
  /** Below the folder, with forward slashes. */
  readonly path: string
  readonly bytes: Uint8Array
}

export const FILES_MAX = 5_000
export const FILE_BYTES_MAX = 16 * 1_048_576
export const PROJECT_BYTES_MAX = 64 * 1_048_576
const DEPTH_MAX = 16
/** Not of the project: what tools leave behind. Names that begin with a dot are left out too. */
const LEFT_OUT: ReadonlySet<string> = new Set(['node_modules', '__pycache__'])

/**
 * Reads all files below a folder, in the order of their paths. Symbolic links are passed over: they could lead out of it.
 * @throws BrokerError PROJECT_REFUSED when there is too much
 */
export async function readProjectFiles(folder: string): Promise<ProjectFile[]> {
  const paths: string[] = []
  await findFiles(folder, '', 0, paths)
  paths.sort(byCodeUnits)
  const files: ProjectFile[] = []
  let total = 0
  for (const path of paths) {
    const bytes = await readBounded(join(folder, path))
    if (bytes === undefined) continue
    total += bytes.byteLength
    if (total > PROJECT_BYTES_MAX) throw refused(`the project has more than ${PROJECT_BYTES_MAX} bytes`)
    files.push({ path, bytes })
  }
  return files
}

async function findFiles(root: string, below: string, depth: number, paths: string[]): Promise<void> {
  if (depth > DEPTH_MAX) throw refused(`the project has folders more than ${DEPTH_MAX} levels deep`)
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    if (entry.name.startsWith('.') || LEFT_OUT.has(entry.name)) continue
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) await findFiles(root, path, depth + 1, paths)
    else if (entry.isFile()) paths.push(path)
    if (paths.length > FILES_MAX) throw refused(`the project has more than ${FILES_MAX} files`)
  }
}

/** @returns undefined if it became something else than a file meanwhile */
async function readBounded(path: string): Promise<Uint8Array | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stat = await file.stat()
    if (!stat.isFile()) return undefined
    if (stat.size > FILE_BYTES_MAX) throw refused(`${path} has more than ${FILE_BYTES_MAX} bytes`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

/** The same order on every machine, whatever its language. */
export function byCodeUnits(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
