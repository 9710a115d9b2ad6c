/** Reads the fields of a control packet in order, strictly. For packets that are not on the hot path. */
import { decodeText } from '../base/bytes.js'
import { malformed } from './faults.js'
import { checkProperties, readPropertiesLength, readUint16 } from './properties.js'
import { isUtf8 } from './utf8.js'
import { varintBytes } from './varint.js'

/** A part of the bytes, `end` excluded. Offsets are absolute. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Every method throws BrokerError MALFORMED_PACKET, naming the field, when it is truncated or ill formed. */
export class ByteReader {
  /** Absolute offset of the next field. */
  position: number
  constructor(
    private readonly bytes: Uint8Array,
    start: number,
    private readonly end: number,
  ) {
    this.position = start
  }

  get isAtEnd(): boolean {
    return this.position === this.end
  }

  uint8(field: string): number {
    return this.bytes[this.take(1, field)]
  }

  uint16(field: string): number {
    return readUint16(this.bytes, this.take(2, field))
  }

  /** Bytes with a length prefix. @returns where they stand, without the prefix */
  binary(field: string): Span {
    const length = this.uint16(field)
    const start = this.take(length, field)
    return { start, end: start + length }
  }

  /** As `binary`, and a UTF-8 Encoded String [MQTT-1.5.4-1], [MQTT-1.5.4-2]. */
  utf8(field: string): Span {
    const span = this.binary(field)
    if (!isUtf8(this.bytes, span.start, span.end)) throw malformed(`${field} is not a UTF-8 string`)
    return span
  }

  /** The text of `utf8`. */
  text(field: string): string {
    const { start, end } = this.utf8(field)
    return decodeText(this.bytes, start, end - start)
  }

  /** @returns where the properties stand, without their length; they are not yet checked [MQTT-2.2.2-1] */
  properties(): Span {
    const length = readPropertiesLength(this.bytes, this.position, this.end)
    const start = this.position + varintBytes(length)
    this.position = start + length
    return { start, end: start + length }
  }

  /** @returns the set of properties that occurred. @throws BrokerError as `checkProperties` */
  check(properties: Span, allowed: number): number {
    return checkProperties(this.bytes, properties.start, properties.end, allowed)
  }

  expectEnd(): void {
    if (!this.isAtEnd) throw malformed('bytes after the last field')
  }

  private take(length: number, field: string): number {
    if (length > this.end - this.position) throw malformed(`${field} is truncated`)
    const start = this.position
    this.position += length
    return start
  }
}
