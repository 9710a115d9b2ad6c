/** Writes records as lines of JSON into a new file. */
import { open, unlink } from 'node:fs/promises'
import type { WrittenRecord } from './audit-line.js'

/** Characters that are written at once. */
const BATCH_CHARS = 262_144

/**
 * What is there is neither overwritten nor followed to another place; a file that could not be written whole is removed.
 * @returns how many
 * @throws what the file system throws: EEXIST for a file that is there
 */
export async function exportRecords(records: AsyncIterable<WrittenRecord>, path: string): Promise<number> {
  const file = await open(path, 'wx', 0o600)
  let count = 0
  try {
    let text = ''
    for await (const record of records) {
      text += `${exportLine(record)}\n`
      count++
      if (text.length < BATCH_CHARS) continue
      await file.appendFile(text)
      text = ''
    }
    await file.appendFile(text)
  } catch (error) {
    await file.close()
    await unlink(path)
    throw error
  }
  await file.close()
  return count
}

/** A record for programs: `{"seq":8,"time":"2025-11-22T06:03:00.000Z","kind":"login",…}` */
export function exportLine({ seq, timeMs, ...record }: WrittenRecord): string {
  return JSON.stringify({ seq, time: new Date(timeMs).toISOString(), ...record })
}
