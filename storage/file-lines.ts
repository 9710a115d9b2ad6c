/** The lines of a file, one after the other. Only a line feed ends one: JSON may hold what else Unicode calls a line end. */
import { open } from 'node:fs/promises'
import { BrokerError } from '../src/base/errors.js'
import { systemCode, systemReason } from '../src/base/system-error.js'

const CHUNK_BYTES = 1_048_576
const LINE_FEED = 0x0a

export interface FileLine {
  readonly text: string
  /** How much of the file is read, from 0 to 1. */
  readonly share: number
}

/** @throws BrokerError FILE_UNREADABLE */
export async function* fileLines(path: string): AsyncGenerator<FileLine> {
  const file = await open(path).catch((error: unknown) => {
    throw unreadable(path, error)
  })
  try {
    const { size } = await file.stat()
    let begun: Buffer[] = []
    for (let position = 0; ; ) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position)
      if (bytesRead === 0) break
      position += bytesRead
      const share = Math.min(1, position / Math.max(1, size))
      let start = 0
      for (let end = chunk.indexOf(LINE_FEED); end !== -1 && end < bytesRead; end = chunk.indexOf(LINE_FEED, start)) {
        begun.push(chunk.subarray(start, end))
        start = end + 1
        yield { text: Buffer.concat(begun).toString(), share }
        begun = []
      }
      if (start < bytesRead) begun.push(chunk.subarray(start, bytesRead))
    }
    if (begun.length > 0) yield { text: Buffer.concat(begun).toString(), share: 1 }
  } catch (error) {
    throw unreadable(path, error)
  } finally {
    await file.close()
  }
}

function unreadable(path: string, error: unknown): unknown {
  if (systemCode(error) === undefined) return error
  return new BrokerError('FILE_UNREADABLE', { path, reason: systemReason(error) }, { cause: error })
}
