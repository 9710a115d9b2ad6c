/** MQTT 5 properties (§2.2.2) as the tests send and read them; independent of the codec under test. */
import { bytes, type Part, prefixed, uint16, uint32, varint } from './wire.js'

export type UserProperty = readonly [name: string, value: string]

export interface Properties {
  readonly payloadFormatIndicator?: number
  readonly messageExpiryInterval?: number
  readonly contentType?: string
  readonly responseTopic?: string
  readonly correlationData?: Uint8Array
  /** More than one only in a PUBLISH from the broker. */
  readonly subscriptionIdentifier?: number | readonly number[]
  readonly sessionExpiryInterval?: number
  readonly assignedClientIdentifier?: string
  readonly serverKeepAlive?: number
  readonly authenticationMethod?: string
  readonly authenticationData?: Uint8Array
  readonly requestProblemInformation?: number
  readonly willDelayInterval?: number
  readonly requestResponseInformation?: number
  readonly responseInformation?: string
  readonly serverReference?: string
  readonly reasonString?: string
  readonly receiveMaximum?: number
  readonly topicAliasMaximum?: number
  readonly topicAlias?: number
  readonly maximumQos?: number
  readonly retainAvailable?: number
  readonly userProperty?: readonly UserProperty[]
  readonly maximumPacketSize?: number
  readonly wildcardSubscriptionAvailable?: number
  readonly subscriptionIdentifierAvailable?: number
  readonly sharedSubscriptionAvailable?: number
}
export type PropertyName = keyof Properties

type PropertyForm = 'byte' | 'uint16' | 'uint32' | 'varint' | 'text' | 'binary' | 'pair'

export const PROPERTY_FORMS: Readonly<Record<PropertyName, readonly [identifier: number, form: PropertyForm]>> = {
  payloadFormatIndicator: [0x01, 'byte'],
  messageExpiryInterval: [0x02, 'uint32'],
  contentType: [0x03, 'text'],
  responseTopic: [0x08, 'text'],
  correlationData: [0x09, 'binary'],
  subscriptionIdentifier: [0x0b, 'varint'],
  sessionExpiryInterval: [0x11, 'uint32'],
  assignedClientIdentifier: [0x12, 'text'],
  serverKeepAlive: [0x13, 'uint16'],
  authenticationMethod: [0x15, 'text'],
  authenticationData: [0x16, 'binary'],
  requestProblemInformation: [0x17, 'byte'],
  willDelayInterval: [0x18, 'uint32'],
  requestResponseInformation: [0x19, 'byte'],
  responseInformation: [0x1a, 'text'],
  serverReference: [0x1c, 'text'],
  reasonString: [0x1f, 'text'],
  receiveMaximum: [0x21, 'uint16'],
  topicAliasMaximum: [0x22, 'uint16'],
  topicAlias: [0x23, 'uint16'],
  maximumQos: [0x24, 'byte'],
  retainAvailable: [0x25, 'byte'],
  userProperty: [0x26, 'pair'],
  maximumPacketSize: [0x27, 'uint32'],
  wildcardSubscriptionAvailable: [0x28, 'byte'],
  subscriptionIdentifierAvailable: [0x29, 'byte'],
  sharedSubscriptionAvailable: [0x2a, 'byte'],
}

function value(form: PropertyForm, content: unknown): Uint8Array {
  switch (form) {
    case 'byte':
      return Buffer.of(Number(content))
    case 'uint16':
      return uint16(Number(content))
    case 'uint32':
      return uint32(Number(content))
    case 'varint':
      return varint(Number(content))
    case 'pair': {
      const [name, text] = content as readonly [Part, Part]
      return bytes(prefixed(name), prefixed(text))
    }
    default:
      return prefixed(content as Part)
  }
}

/** One property. Unlike `encodeProperties` it takes any bytes where a text belongs. */
export function property(name: PropertyName, content: number | Part | readonly [Part, Part]): Uint8Array {
  const [identifier, form] = PROPERTY_FORMS[name]
  return bytes([identifier], value(form, content))
}

/** Without the length. Bytes pass unchanged, so that a test can put any bytes where properties belong. */
export function encodeProperties(properties: Properties | Uint8Array = {}): Uint8Array {
  if (properties instanceof Uint8Array) return properties
  const parts: Uint8Array[] = []
  for (const [name, content] of Object.entries(properties) as [PropertyName, unknown][]) {
    if (content === undefined) continue
    const [identifier, form] = PROPERTY_FORMS[name]
    const repeated = name === 'userProperty' || Array.isArray(content)
    for (const each of repeated ? (content as readonly unknown[]) : [content]) {
      parts.push(bytes([identifier], value(form, each)))
    }
  }
  return bytes(...parts)
}

/** With the length in front, as they stand in a packet. */
export function propertyBlock(properties: Properties | Uint8Array = {}): Uint8Array {
  const encoded = encodeProperties(properties)
  return bytes(varint(encoded.length), encoded)
}
