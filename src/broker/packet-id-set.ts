/** A set of packet identifiers: 8 kB once it is used, nothing before. */
export class PacketIdSet {
  #bits: Uint32Array | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  has(packetId: number): boolean {
    return this.#bits !== undefined && (this.#bits[packetId >> 5] & (1 << (packetId & 31))) !== 0
  }

  /** @returns false if it was there already */
  add(packetId: number): boolean {
    if (this.has(packetId)) return false
    this.#bits ??= new Uint32Array(2_048)
    this.#bits[packetId >> 5] |= 1 << (packetId & 31)
    this.#size++
    return true
  }

  /** @returns false if it was not there */
  delete(packetId: number): boolean {
    if (!this.has(packetId) || this.#bits === undefined) return false
    this.#bits[packetId >> 5] &= ~(1 << (packetId & 31))
    this.#size--
    if (this.#size === 0) this.#bits = undefined
    return true
  }

  clear(): void {
    this.#bits = undefined
    this.#size = 0
  }
}
