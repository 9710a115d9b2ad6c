/**
 * The header by which a proxy tells whose connection it passes on: PROXY protocol, versions 1 (text) and 2 (binary), as
 * HAProxy describes it. Pure: bytes in, header out.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { canonicalAddress } from '../base/address.js'
import { type ProxyTls, readProxyFields } from './proxy-fields.js'

export interface ProxyHeader {
  /** undefined where the proxy speaks for itself (`LOCAL`), or does not know a network address of its client. */
  readonly source: { readonly address: string; readonly port: number } | undefined
  /** Of a client that came to the proxy by TLS. */
  readonly tls: ProxyTls | undefined
  /** The name of the server that the client asked for. */
  readonly authority: string | undefined
}

export type ProxyReading =
  | { readonly kind: 'incomplete' }
  /** What follows the first `bytes` is the client's. */
  | { readonly kind: 'complete'; readonly header: ProxyHeader; readonly bytes: number }
  /** It cannot become a header, whatever follows. */
  | { readonly kind: 'refused'; readonly reason: string }

const INCOMPLETE: ProxyReading = { kind: 'incomplete' }
const NOTHING_KNOWN: ProxyHeader = { source: undefined, tls: undefined, authority: undefined }

const TEXT_START = Buffer.from('PROXY ')
/** With its line end. */
const TEXT_BYTES_MAX = 107
const PORT = /^(0|[1-9]\d{0,4})$/

const BINARY_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const BINARY_FIXED_BYTES = 16
/** Of one with all fields that proxies send; the format would allow 64 kB. */
const BINARY_BYTES_MAX = 4_096
const LOCAL = 0x20
const PROXY = 0x21
/** Bytes of the addresses by family and transport; only streams can carry MQTT. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 0: 0, 17: 12, 33: 36, 49: 216 }
const TCP4 = 0x11
const TCP6 = 0x21

/** @param bytes all that has come since the connection was accepted */
export function readProxyHeader(bytes: Buffer): ProxyReading {
  if (bytes.length === 0) return INCOMPLETE
  if (startsAs(bytes, TEXT_START)) return bytes.length < TEXT_START.length ? INCOMPLETE : readText(bytes)
  if (startsAs(bytes, BINARY_START)) return bytes.length < BINARY_FIXED_BYTES ? INCOMPLETE : readBinary(bytes)
  return refused('it does not begin with one')
}

function refused(reason: string): ProxyReading {
  return { kind: 'refused', reason }
}

/** As far as both reach. */
function startsAs(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length)
  return bytes.compare(start, 0, length, 0, length) === 0
}

function readText(bytes: Buffer): ProxyReading {
  const end = bytes.subarray(0, TEXT_BYTES_MAX).indexOf('\r\n')
  if (end === -1) return bytes.length < TEXT_BYTES_MAX ? INCOMPLETE : refused(`its line has no end`)
  const line = bytes.toString('latin1', TEXT_START.length, end)
  const header = line === 'UNKNOWN' || line.startsWith('UNKNOWN ') ? NOTHING_KNOWN : headerOfText(line)
  return header === undefined
    ? refused('its line is not "PROXY TCP4|TCP6 source destination port port"')
    : { kind: 'complete', header, bytes: end + 2 }
}

function headerOfText(line: string): ProxyHeader | undefined {
  const words = line.split(' ')
  if (words.length !== 5) return undefined
  const [family, source, destination, sourcePort, destinationPort] = words
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : undefined
  if (isAddress === undefined || !isAddress(source) || !isAddress(destination)) return undefined
  if (!isPort(sourcePort) || !isPort(destinationPort)) return undefined
  return { ...NOTHING_KNOWN, source: { address: canonicalAddress(source), port: Number(sourcePort) } }
}

/** Without an interface. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%')
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) <= 65_535
}

function readBinary(bytes: Buffer): ProxyReading {
  const command = bytes[12]
  const length = BINARY_FIXED_BYTES + bytes.readUInt16BE(14)
  if (command >> 4 !== 2) return refused(`its version is ${command >> 4}`)
  if (command !== LOCAL && command !== PROXY) return refused(`its command is ${command & 15}`)
  if (length > BINARY_BYTES_MAX) return refused(`it has ${length} bytes, more than ${BINARY_BYTES_MAX}`)
  if (bytes.length < length) return INCOMPLETE
  // what follows the command LOCAL has no meaning, and is skipped
  if (command === LOCAL) return { kind: 'complete', header: NOTHING_KNOWN, bytes: length }
  const family = bytes[13]
  const addressBytes = ADDRESS_BYTES[family]
  if (addressBytes === undefined) return refused(`its address family is 0x${family.toString(16).padStart(2, '0')}`)
  const fieldsStart = BINARY_FIXED_BYTES + addressBytes
  if (fieldsStart > length) return refused('its addresses do not fit')
  // of a family without a meaning to us, what follows has none either
  const fields = family === 0 ? {} : readProxyFields(bytes.subarray(0, length), fieldsStart)
  if (typeof fields === 'string') return refused(fields)
  const { tls, authority } = fields
  return { kind: 'complete', header: { source: sourceOf(bytes, family), tls, authority }, bytes: length }
}

function sourceOf(bytes: Buffer, family: number): ProxyHeader['source'] {
  if (family === TCP4) return { address: bytes.subarray(16, 20).join('.'), port: bytes.readUInt16BE(24) }
  if (family !== TCP6) return undefined
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(16 + 2 * index).toString(16))
  return { address: canonicalAddress(groups.join(':')), port: bytes.readUInt16BE(48) }
}
