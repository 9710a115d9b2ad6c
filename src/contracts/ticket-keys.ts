/**
 * What all connection threads encrypt TLS session tickets from, so that a client can go on with its session at any of
 * them. The main thread puts new bytes in place of the old ones now and then; the old ones are gone for good then, and
 * with them whatever was encrypted with them.
 *   Int32 0    generation   odd while the bytes are being written
 *   byte  4    secret       32 bytes
 */
import { randomFillSync } from 'node:crypto'

const SECRET_AT = 4
const SECRET_BYTES = 32
/** How long one secret is in use. */
export const TICKET_SECRET_MS = 3_600_000

export function createTicketSecret(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(SECRET_AT + SECRET_BYTES)
  renewTicketSecret(memory)
  return memory
}

/** Only the main thread does so. */
export function renewTicketSecret(memory: SharedArrayBuffer): void {
  const generation = new Int32Array(memory, 0, 1)
  Atomics.add(generation, 0, 1)
  new Uint8Array(memory, SECRET_AT).set(randomFillSync(new Uint8Array(SECRET_BYTES)))
  Atomics.add(generation, 0, 1)
}

/** What a thread sees of it. */
export class TicketSecret {
  readonly #generation: Int32Array
  readonly #secret: Uint8Array

  constructor(memory: SharedArrayBuffer) {
    this.#generation = new Int32Array(memory, 0, 1)
    this.#secret = new Uint8Array(memory, SECRET_AT, SECRET_BYTES)
  }

  /** Another one says that there are other bytes. */
  get generation(): number {
    return Atomics.load(this.#generation, 0)
  }

  /** A copy. */
  read(): Uint8Array {
    for (;;) {
      const before = this.generation
      const secret = this.#secret.slice()
      if (before % 2 === 0 && before === this.generation) return secret
    }
  }
}
