/**
 * Named texts in shared memory: one thread writes, others read what they have not read yet. Entries are added and never
 * changed; a later one with the same name takes the place of an earlier one.
 *
 *   Int32 index  0   bytes written; stored last, so that what lies before is complete
 *   Int32 index  1   number of this memory: a new one begins from the start
 *   byte 64          entries: bytes of the name, bytes of the text or -1 for none, number; name and text
 */
import { decodeText, encodeText } from './bytes.js'

const WRITTEN = 0
const NUMBER = 1
const START = 64
const HEADER_BYTES = 12
const BYTES_MIN = 65_536

export interface BookEntry {
  readonly text: string
  /** Of this text; unique in the book. */
  readonly number: number
}

function entryBytes(name: Uint8Array, text: Uint8Array | undefined): number {
  return (HEADER_BYTES + name.length + (text?.length ?? 0) + 3) & ~3
}

interface Encoded {
  readonly name: Uint8Array
  readonly text: Uint8Array
  readonly number: number
}

/** The writing side. */
export class SharedBook {
  readonly #entries = new Map<string, Encoded>()
  #memory: SharedArrayBuffer
  #ints: Int32Array
  #bytes: Uint8Array
  #number = 1
  #last = 0

  constructor() {
    this.#memory = new SharedArrayBuffer(BYTES_MIN)
    this.#ints = new Int32Array(this.#memory)
    this.#bytes = new Uint8Array(this.#memory)
    this.#begin()
  }

  /** For readers. Another one after it was full. */
  get memory(): SharedArrayBuffer {
    return this.#memory
  }

  /** @param text undefined removes the name @returns the number of the entry */
  set(name: string, text: string | undefined): number {
    const number = ++this.#last
    const encodedName = encodeText(name)
    const encodedText = text === undefined ? undefined : encodeText(text)
    if (encodedText === undefined) this.#entries.delete(name)
    else this.#entries.set(name, { name: encodedName, text: encodedText, number })
    if (this.#ints[WRITTEN] + entryBytes(encodedName, encodedText) <= this.#bytes.length) {
      this.#append(encodedName, encodedText, number)
    } else this.#renew()
    return number
  }

  #append(name: Uint8Array, text: Uint8Array | undefined, number: number): void {
    const at = this.#ints[WRITTEN]
    this.#ints[at >> 2] = name.length
    this.#ints[(at >> 2) + 1] = text?.length ?? -1
    this.#ints[(at >> 2) + 2] = number
    this.#bytes.set(name, at + HEADER_BYTES)
    if (text !== undefined) this.#bytes.set(text, at + HEADER_BYTES + name.length)
    Atomics.store(this.#ints, WRITTEN, at + entryBytes(name, text))
  }

  /** New memory with what holds now, and as much room again. */
  #renew(): void {
    let needed = START
    for (const { name, text } of this.#entries.values()) needed += entryBytes(name, text)
    this.#memory = new SharedArrayBuffer(Math.max(BYTES_MIN, ((needed * 2) & ~3) + 4))
    this.#ints = new Int32Array(this.#memory)
    this.#bytes = new Uint8Array(this.#memory)
    this.#number++
    this.#begin()
    for (const { name, text, number } of this.#entries.values()) this.#append(name, text, number)
  }

  #begin(): void {
    this.#ints[NUMBER] = this.#number
    Atomics.store(this.#ints, WRITTEN, START)
  }
}

interface Place {
  readonly at: number
  readonly length: number
  readonly number: number
}

/** The reading side, one for each thread. */
export class SharedBookReader {
  /** Where each text lies; it is decoded when somebody asks. */
  #places = new Map<string, Place>()
  #ints: Int32Array = new Int32Array(2)
  #bytes: Uint8Array = new Uint8Array(0)
  #read = START
  #memoryNumber = 0

  /**
   * Reads what is new.
   * @param changed called with the name of each entry that came, went or got another text
   */
  follow(memory: SharedArrayBuffer, changed: (name: string) => void): void {
    const ints = this.#ints.buffer === memory ? this.#ints : new Int32Array(memory)
    if (ints[NUMBER] < this.#memoryNumber) return // older than what is known already
    const known = this.#places
    if (ints[NUMBER] > this.#memoryNumber) {
      this.#memoryNumber = ints[NUMBER]
      this.#ints = ints
      this.#bytes = new Uint8Array(memory)
      this.#places = new Map()
      this.#read = START
    }
    this.#readOn(known, changed)
    if (known !== this.#places) for (const name of known.keys()) if (!this.#places.has(name)) changed(name)
  }

  get(name: string): BookEntry | undefined {
    const place = this.#places.get(name)
    return place && { text: decodeText(this.#bytes, place.at, place.length), number: place.number }
  }

  numberOf(name: string): number | undefined {
    return this.#places.get(name)?.number
  }

  #readOn(known: ReadonlyMap<string, Place>, changed: (name: string) => void): void {
    const written = Atomics.load(this.#ints, WRITTEN)
    while (this.#read < written) {
      const [nameBytes, textBytes, number] = this.#ints.subarray(this.#read >> 2, (this.#read >> 2) + 3)
      const at = this.#read + HEADER_BYTES
      const name = decodeText(this.#bytes, at, nameBytes)
      const isNew = known.get(name)?.number !== number
      if (textBytes < 0) this.#places.delete(name)
      else this.#places.set(name, { at: at + nameBytes, length: textBytes, number })
      if (isNew) changed(name)
      this.#read += (HEADER_BYTES + nameBytes + Math.max(0, textBytes) + 3) & ~3
    }
  }
}
