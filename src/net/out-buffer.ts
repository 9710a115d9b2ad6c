/** Buffers in which the packets for one socket gather during a turn, so that it gets them in one write. */

const OUT_BUFFER_BYTES = 65_536
/** Buffers kept for use again. */
const SPARE_BUFFERS_MAX = 128

export class OutBuffer {
  readonly bytes: Uint8Array
  readonly view: DataView
  used = 0
  constructor(capacity: number) {
    const memory = new ArrayBuffer(capacity)
    this.bytes = new Uint8Array(memory)
    this.view = new DataView(memory)
  }
}

/** Lends buffers: an idle connection holds none. */
export class OutBufferPool {
  readonly #spare: OutBuffer[] = []

  /** @param bytes that must fit; more than usual makes a buffer for this once */
  take(bytes: number): OutBuffer {
    if (bytes > OUT_BUFFER_BYTES) return new OutBuffer(bytes)
    return this.#spare.pop() ?? new OutBuffer(OUT_BUFFER_BYTES)
  }

  give(buffer: OutBuffer): void {
    buffer.used = 0
    if (buffer.bytes.length === OUT_BUFFER_BYTES && this.#spare.length < SPARE_BUFFERS_MAX) this.#spare.push(buffer)
  }
}
