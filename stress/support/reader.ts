/** Reads fields from the body of a received packet and objects to everything the specification forbids in them. */
import { PROPERTY_FORMS, type Properties, type PropertyName, type UserProperty } from './properties.js'

/** The broker broke a rule of the specification. The message names what was wrong, and where. */
export class ConductError extends Error {
  override readonly name = 'ConductError'
}

const TEXT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const NAMES = new Map((Object.keys(PROPERTY_FORMS) as PropertyName[]).map((name) => [PROPERTY_FORMS[name][0], name]))
const BOOLEANS: ReadonlySet<PropertyName> = new Set<PropertyName>([
  'payloadFormatIndicator',
  'maximumQos',
  'retainAvailable',
  'wildcardSubscriptionAvailable',
  'subscriptionIdentifierAvailable',
  'sharedSubscriptionAvailable',
])
const NEVER_ZERO: ReadonlySet<PropertyName> = new Set<PropertyName>([
  'receiveMaximum',
  'maximumPacketSize',
  'topicAlias',
  'subscriptionIdentifier',
])

/**
 * A Variable Byte Integer at `offset`. @returns undefined while bytes are missing
 * @throws ConductError when it is longer than needed [MQTT-1.5.5-1] or than four bytes
 */
export function readVarint(buffer: Uint8Array, offset: number): { value: number; length: number } | undefined {
  let value = 0
  for (let length = 1; length <= 4; length++) {
    const digit = buffer[offset + length - 1]
    if (digit === undefined) return undefined
    value += (digit & 0x7f) * 128 ** (length - 1)
    if (digit >= 0x80) continue
    if (length > 1 && digit === 0) throw new ConductError('[MQTT-1.5.5-1] a variable byte integer is padded')
    return { value, length }
  }
  throw new ConductError('a variable byte integer is longer than four bytes')
}

export class Reader {
  private offset = 0
  constructor(
    private readonly body: Uint8Array,
    private readonly what: string,
  ) {}

  get remaining(): number {
    return this.body.length - this.offset
  }

  take(length: number): Uint8Array {
    if (length > this.remaining) throw new ConductError(`${this.what} ends early`)
    this.offset += length
    return this.body.subarray(this.offset - length, this.offset)
  }

  byte(): number {
    return this.take(1)[0]!
  }

  uint16(): number {
    return this.byte() * 256 + this.byte()
  }

  uint32(): number {
    return this.uint16() * 0x1_0000 + this.uint16()
  }

  varint(): number {
    const result = readVarint(this.body, this.offset)
    if (result === undefined) throw new ConductError(`${this.what} ends inside a variable byte integer`)
    this.offset += result.length
    return result.value
  }

  binary(): Uint8Array {
    return this.take(this.uint16())
  }

  text(): string {
    const raw = this.binary()
    let text: string
    try {
      text = TEXT.decode(raw)
    } catch (cause) {
      throw new ConductError(`[MQTT-1.5.4-1] ${this.what} has a string that is not UTF-8`, { cause })
    }
    if (text.includes('\0')) throw new ConductError(`[MQTT-1.5.4-2] ${this.what} has a string with U+0000`)
    return text
  }

  /** A packet identifier, never zero. */
  packetId(): number {
    const packetId = this.uint16()
    if (packetId === 0) throw new ConductError(`${this.what} has packet identifier 0`)
    return packetId
  }

  properties(allowed: readonly PropertyName[]): Properties {
    const block = new Reader(this.take(this.varint()), `the property block of ${this.what}`)
    const found: Partial<Record<PropertyName, unknown>> = {}
    while (block.remaining > 0) block.property(found, allowed, this.what)
    return found as Properties
  }

  end(): void {
    if (this.remaining > 0) throw new ConductError(`${this.what} has ${this.remaining} bytes too many`)
  }

  private property(
    found: Partial<Record<PropertyName, unknown>>,
    allowed: readonly PropertyName[],
    what: string,
  ): void {
    const identifier = this.varint()
    const name = NAMES.get(identifier)
    if (name === undefined) throw new ConductError(`${what} has the unknown property ${identifier}`)
    if (!allowed.includes(name)) throw new ConductError(`${what} must not have the property ${name}`)
    const content = this.content(name)
    if (BOOLEANS.has(name) && content !== 0 && content !== 1) throw new ConductError(`${name} is ${String(content)}`)
    if (NEVER_ZERO.has(name) && content === 0) throw new ConductError(`${name} is 0`)
    if (name === 'userProperty') found[name] = [...((found[name] as UserProperty[]) ?? []), content]
    else if (name === 'subscriptionIdentifier') found[name] = [...((found[name] as number[]) ?? []), content]
    else if (name in found) throw new ConductError(`${what} has the property ${name} twice`)
    else found[name] = content
  }

  private content(name: PropertyName): number | string | Uint8Array | UserProperty {
    switch (PROPERTY_FORMS[name][1]) {
      case 'byte':
        return this.byte()
      case 'uint16':
        return this.uint16()
      case 'uint32':
        return this.uint32()
      case 'varint':
        return this.varint()
      case 'text':
        return this.text()
      case 'binary':
        return this.binary()
      case 'pair':
        return [this.text(), this.text()]
    }
  }
}
