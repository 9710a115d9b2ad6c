/** Files that are replaced as a whole. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
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
  const fresh = freshOf(path)
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

/** As `replaceFile`, at once: for what must not change while it is written. On disk when this returns. */
export function replaceFileSync(path: string, text: string): void {
  const fresh = freshOf(path)
  rmSync(fresh, { force: true })
  const file = openSync(fresh, 'wx', OWNER_ONLY)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(fresh, path)
  flushFolder(dirname(path))
}

/** Made anew each time: what somebody has put there, with other rights or as a link, is not written to. */
function freshOf(path: string): string {
  return `${path}.new`
}
