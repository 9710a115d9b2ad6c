/** Files that are replaced as a whole. */
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { flushFolder } from './folder.js'

const OWNER_ONLY = 0o600

/**
 * Puts a text in place of a file, readable by its owner only; on disk when this resolves. Whoever opens the file, after
 * a crash too, finds what was there or all of the text.
 * @throws Error of the system: the file is as it was
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`
  await rm(fresh, { force: true })
  const file = await open(fresh, 'wx', OWNER_ONLY)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(fresh, path)
  flushFolder(dirname(path))
}
