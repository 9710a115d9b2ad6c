/** A network connection as bytes, whatever carries it. */

export interface TransportEvents {
  /** The first `length` bytes are the receiver's until it returns; then others are read into the same memory. */
  onData(bytes: Buffer, length: number): void
  /** Everything that was buffered has been handed to the operating system. */
  onDrain(): void
  /** Nothing follows. Called once. */
  onClose(): void
}

export interface Transport {
  readonly address: string
  /** Of the far side; 0 where there is none. */
  readonly port: number
  /** Starts reading. */
  open(events: TransportEvents): void
  /** Bytes written and not yet handed to the operating system. */
  readonly bufferedBytes: number
  /** Takes `bytes` until `written` is called; they may be used again after that. */
  write(bytes: Uint8Array, written: () => void): void
  /** Closes after what was written. */
  end(): void
  /** Closes at once. */
  destroy(): void
  pause(): void
  resume(): void
}
