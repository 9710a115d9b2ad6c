/** The library that makes a loss of power visible (power-cut.c): building it, and cutting the power. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Random } from '../load/random.js'

/** The source is not compiled by tsc, so it is looked for beside the sources as well as beside this file. */
const SOURCES = ['./power-cut.c', '../../../stress/faults/power-cut.c', '../../../../stress/faults/power-cut.c']
const BLOCK_BYTES = 4_096

export interface PowerShim {
  /** For the environment of the broker. */
  readonly environment: Readonly<Record<string, string>>
  readonly shadowFolder: string
}

/** @param folder for the library and the shadows; must exist @returns the shim, or why there is none */
export async function buildPowerShim(folder: string, shadowFolder: string): Promise<PowerShim | string> {
  if (process.platform !== 'linux') return 'the power cut needs Linux'
  const source = SOURCES.map((path) => fileURLToPath(new URL(path, import.meta.url))).find((path) => existsSync(path))
  if (source === undefined) return 'power-cut.c is not there'
  const library = join(folder, 'power-cut.so')
  try {
    await promisify(execFile)('gcc', ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl', '-pthread'])
  } catch (error) {
    return `gcc cannot build the power cut: ${String(error).split('\n')[0]}`
  }
  return { environment: { LD_PRELOAD: library, POWER_CUT_FOLDER: shadowFolder }, shadowFolder }
}

/**
 * Leaves of a data file what a loss of power would have left. To be called when its process is dead.
 * @param survivors decides which blocks made it to the disk although nobody had synced them; undefined: none
 * @returns how many blocks were not synced, and how many of these survived
 * @throws Error when the file has no shadow: it was not written under the shim
 */
export async function cutPower(dataFile: string, shadowFolder: string, survivors: Random | undefined) {
  const { dev, ino } = await stat(dataFile)
  const shadowFile = join(shadowFolder, `${dev}-${ino}.shadow`)
  const outcome = { unsynced: 0, survived: 0 }
  {
    await using data = await open(dataFile, 'r')
    await using shadow = await open(shadowFile, 'r+')
    const blocks = Math.ceil((await data.stat()).size / BLOCK_BYTES)
    const [left, right] = [Buffer.alloc(BLOCK_BYTES), Buffer.alloc(BLOCK_BYTES)]
    for (let block = 0; block < blocks; block++) {
      const at = block * BLOCK_BYTES
      const { bytesRead } = await data.read(left, 0, BLOCK_BYTES, at)
      const { bytesRead: kept } = await shadow.read(right.fill(0), 0, BLOCK_BYTES, at)
      if (kept === bytesRead && left.compare(right, 0, kept, 0, bytesRead) === 0) continue
      outcome.unsynced++
      if (survivors === undefined || survivors.next() < 0.5) continue
      outcome.survived++
      await shadow.write(left, 0, bytesRead, at)
    }
  }
  // In place, so that the file keeps its inode and with it its shadow.
  await copyFile(shadowFile, dataFile)
  return outcome
}
