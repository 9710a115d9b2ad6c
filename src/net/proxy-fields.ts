/** What follows the addresses in a binary PROXY header: fields of type, length and value. */

/** How a client came to a proxy that ends TLS for it. */
export interface ProxyTls {
  /** `TLSv1.3`; undefined where the proxy does not tell. */
  readonly version: string | undefined
  readonly cipher: string | undefined
  /** The client has shown a certificate, on this connection or when its session began. */
  readonly hasCertificate: boolean
  /** And the proxy has found it good. */
  readonly isVerified: boolean
  readonly commonName: string | undefined
}

export interface ProxyFields {
  readonly tls?: ProxyTls
  readonly authority?: string
}

const AUTHORITY = 0x02
const CHECKSUM = 0x03
const TLS = 0x20
const TLS_VERSION = 0x21
const TLS_COMMON_NAME = 0x22
const TLS_CIPHER = 0x23
/** Fields that no header has twice: which of two to believe would be a guess. */
const SINGLE = new Set([AUTHORITY, CHECKSUM, TLS])
/** Bits of the first byte of a field of TLS. */
const CAME_BY_TLS = 1
const SHOWN_NOW = 2
const SHOWN_BEFORE = 4
/** A byte of bits and four of the result of the verification. */
const TLS_FIXED_BYTES = 5

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @returns or what is wrong with them */
export function readProxyFields(header: Buffer, start: number): ProxyFields | string {
  const fields = split(header, start)
  if (typeof fields === 'string') return fields
  const seen = new Set<number>()
  let found: ProxyFields = {}
  for (const { type, valueAt, value } of fields) {
    if (SINGLE.has(type) && seen.has(type)) return `it has the field 0x${hex(type)} twice`
    seen.add(type)
    if (type === CHECKSUM) {
      if (value.length !== 4 || value.readUInt32BE(0) !== checksumOf(header, valueAt)) return 'its checksum is wrong'
    } else if (type === AUTHORITY) {
      const authority = textOf(value)
      if (authority === undefined) return 'its name of the server is not text'
      found = { ...found, authority }
    } else if (type === TLS) {
      const tls = tlsOf(value)
      if (typeof tls === 'string') return tls
      found = { ...found, tls }
    }
  }
  return found
}

interface Field {
  readonly type: number
  readonly valueAt: number
  readonly value: Buffer
}

function split(bytes: Buffer, start: number): Field[] | string {
  const fields: Field[] = []
  for (let at = start; at < bytes.length; ) {
    const valueAt = at + 3
    const end = valueAt <= bytes.length ? valueAt + bytes.readUInt16BE(at + 1) : Number.POSITIVE_INFINITY
    if (end > bytes.length) return 'its last field does not fit'
    fields.push({ type: bytes[at], valueAt, value: bytes.subarray(valueAt, end) })
    at = end
  }
  return fields
}

function tlsOf(value: Buffer): ProxyTls | undefined | string {
  if (value.length < TLS_FIXED_BYTES) return 'its field of TLS does not fit'
  const bits = value[0]
  const fields = split(value, TLS_FIXED_BYTES)
  if (typeof fields === 'string') return fields
  const texts = new Map<number, string>()
  for (const { type, value: bytes } of fields) {
    if (type !== TLS_VERSION && type !== TLS_COMMON_NAME && type !== TLS_CIPHER) continue
    const text = textOf(bytes)
    if (text === undefined || texts.has(type)) return `its field 0x${hex(type)} of TLS is not one text`
    texts.set(type, text)
  }
  if ((bits & CAME_BY_TLS) === 0) return undefined
  const hasCertificate = (bits & (SHOWN_NOW | SHOWN_BEFORE)) !== 0
  return {
    version: texts.get(TLS_VERSION),
    cipher: texts.get(TLS_CIPHER),
    hasCertificate,
    isVerified: hasCertificate && value.readUInt32BE(1) === 0,
    commonName: texts.get(TLS_COMMON_NAME),
  }
}

/** @returns undefined for what is empty, no UTF-8, or has control characters */
function textOf(bytes: Buffer): string | undefined {
  try {
    const text = utf8.decode(bytes)
    return text === '' || CONTROL.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

/** CRC-32C of the header, the checksum itself taken as zeros. */
function checksumOf(header: Buffer, checksumAt: number): number {
  let crc = -1
  for (let at = 0; at < header.length; at++) {
    crc ^= at >= checksumAt && at < checksumAt + 4 ? 0 : header[at]
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return ~crc >>> 0
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
