/** Reads the fields of a control packet in order, strictly. For packets that are not on the hot path. */
import { decodeText } from '../base/bytes.js'
import { BrokerError } from '../base/errors.js'
import { malformed } from './faults.js'
import { checkProperties, forEachProperty, Property, readPropertiesLength, readUint16 } from './properties.js'
import { isUtf8 } from './utf8.js'
import { varintBytes } from './varint.js'

/** A part of the bytes, `end` excluded. Offsets are absolute. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * The most topic filters, and the most user properties, of one control packet. Each becomes an object, and a packet of
 * 16 MB has room for millions: they would hold up the thread for seconds.
 */
export const ITEMS_MAX = 16_384

/** The shortest user property: identifier and two empty strings. */
const USER_PROPERTY_BYTES_MIN = 5

/** @throws BrokerError QUOTA_EXCEEDED when `count` is above ITEMS_MAX */
export function checkItems(count: number, what: string): void {
  if (count > ITEMS_MAX) {
    throw new BrokerError('QUOTA_EXCEEDED', { reason: `more than ${ITEMS_MAX} ${what} in one packet` })
  }
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

  /** @returns the set of properties that occurred. @throws BrokerError as `checkProperties` and `checkItems` */
  check({ start, end }: Span, allowed: number): number {
    const seen = checkProperties(this.bytes, start, end, allowed)
    if (end - start > ITEMS_MAX * USER_PROPERTY_BYTES_MIN) {
      let count = 0
      forEachProperty(this.bytes, start, end, (identifier) => {
        if (identifier === Property.USER_PROPERTY) count += 1
      })
      checkItems(count, 'user properties')
    }
    return seen
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
