/**
 * What goes through the pipes between the broker and the process that runs Python, in frames:
 *   4 bytes little endian: bytes that follow; 1 byte: kind; 4 bytes little endian: number of the request; UTF-8 text.
 * Everything is answered in the order in which it was asked.
 */

export const ToSandboxKind = {
  /** Text: JSON `[name, source, isKept]`. Answered by RESULT with the JSON of `LoadedScript`, or by FAILURE. */
  ADD: 1,
  /** Text: the name. Answered by RESULT. */
  REMOVE: 2,
  /** Text: `Script.function`, a line break, the JSON array of arguments. Answered by RESULT or FAILURE. */
  CALL: 3,
  /** Text: JSON of `PythonPackage`. Answered by RESULT with the JSON array of the scripts to load again, or by FAILURE. */
  INSTALL: 4,
  /** Text: the name of the package. Answered as INSTALL. */
  UNINSTALL: 5,
} as const

export const FromSandboxKind = {
  /** Python is up. */
  READY: 16,
  RESULT: 17,
  /** Text: what to tell the user. */
  FAILURE: 18,
  /** Precedes the answer to a request: text is the name of the script, a line break, what it printed. */
  PRINTED: 19,
  /** Instead of text: the memory to start from next time. */
  SNAPSHOT: 20,
} as const

const HEADER_BYTES = 9
/** Of one frame; a snapshot is the largest. */
const FRAME_BYTES_MAX = 1 << 28

export interface Frame {
  readonly kind: number
  readonly id: number
  /** Valid until the next call of `push`, except for a snapshot's owner, who copies it. */
  readonly body: Uint8Array
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function textOf(frame: Frame): string {
  return decoder.decode(frame.body)
}

export function frameOf(kind: number, id: number, content: string | Uint8Array): Uint8Array {
  const body = typeof content === 'string' ? encoder.encode(content) : content
  const bytes = new Uint8Array(HEADER_BYTES + body.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, HEADER_BYTES - 4 + body.length, true)
  view.setUint8(4, kind)
  view.setUint32(5, id, true)
  bytes.set(body, HEADER_BYTES)
  return bytes
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  #held = new Uint8Array(65_536)
  #bytes = 0

  /** Takes the frames that `chunk` completes. @throws Error if this is no stream of frames */
  push(chunk: Uint8Array, take: (frame: Frame) => void): void {
    this.#hold(chunk)
    const view = new DataView(this.#held.buffer)
    let at = 0
    while (this.#bytes - at >= HEADER_BYTES) {
      const end = at + 4 + frameBytes(view.getUint32(at, true))
      if (end > this.#bytes) break
      const body = this.#held.subarray(at + HEADER_BYTES, end)
      take({ kind: view.getUint8(at + 4), id: view.getUint32(at + 5, true), body })
      at = end
    }
    this.#held.copyWithin(0, at, this.#bytes)
    this.#bytes -= at
  }

  #hold(chunk: Uint8Array): void {
    const needed = this.#bytes + chunk.length
    if (needed > this.#held.length) {
      // a large frame tells its size first: grown once, not with every chunk of it
      const announced = this.#bytes >= 4 ? 4 + new DataView(this.#held.buffer).getUint32(0, true) : 0
      const larger = new Uint8Array(Math.max(needed, 2 * this.#held.length, Math.min(announced, FRAME_BYTES_MAX)))
      larger.set(this.#held.subarray(0, this.#bytes))
      this.#held = larger
    }
    this.#held.set(chunk, this.#bytes)
    this.#bytes = needed
  }
}

function frameBytes(announced: number): number {
  if (announced < HEADER_BYTES - 4 || announced > FRAME_BYTES_MAX) throw new Error(`a frame of ${announced} bytes`)
  return announced
}
