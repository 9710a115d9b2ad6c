/** Output of any length. */
import type { Writable } from 'node:stream'

/** Resolves when the stream takes more, or has ended: what is written to it after that goes nowhere. */
export async function writeTo(stream: Writable, text: string): Promise<void> {
  if (stream.write(text) || stream.destroyed) return
  await new Promise<void>((resolve) => {
    const goOn = (): void => {
      stream.off('drain', goOn)
      stream.off('close', goOn)
      resolve()
    }
    stream.on('drain', goOn)
    stream.on('close', goOn)
  })
}
