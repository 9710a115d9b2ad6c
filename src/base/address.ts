/** Addresses of peers as text: what is one and the same, what belongs together, what is on this machine. */
import { isIP, isIPv4, isIPv6, SocketAddress } from 'node:net'

/** An IPv4 address within IPv6, as sockets that listen on both tell it. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i
const MAPPED_BITS = 96
const BITS = { 4: 32, 6: 128 } as const
/** Whoever has one IPv6 address has all of a network of this prefix. */
const CUSTOMER_BITS = 64
const LOOPBACK = '::1'

/** One address, or a network in CIDR notation. */
export interface AddressRange {
  readonly version: 4 | 6
  /** Of the first address; bits behind the prefix are 0. */
  readonly value: bigint
  /** 32 or 128 for a single address. */
  readonly prefix: number
}

/** One text for each address: `2001:DB8:0::7` is `2001:db8::7`, `::ffff:192.0.2.7` is `192.0.2.7`. Others stay as they are. */
export function canonicalAddress(address: string): string {
  if (!address.includes(':')) return address
  const plain = address.replace(/%.*$/, '') // the interface of a link-local address
  if (!isIPv6(plain)) return address
  const canonical = new SocketAddress({ address: plain, family: 'ipv6' }).address
  return MAPPED.exec(canonical)?.[1] ?? canonical
}

/** A connection that does not leave this machine. Whatever is no IP address is the path of a Unix socket. */
export function isLocalAddress(address: string): boolean {
  const canonical = canonicalAddress(address)
  if (isIPv4(canonical)) return canonical.startsWith('127.')
  return canonical === LOOPBACK || !isIPv6(canonical)
}

/** What limits and bans of addresses count as one: an IPv4 address, the /64 network of an IPv6 address, a Unix socket. */
export function addressGroup(address: string): string {
  const canonical = canonicalAddress(address)
  if (!isIPv6(canonical) || canonical === LOOPBACK) return canonical
  const value = addressValue(canonical)
  return rangeText({ version: 6, value: firstOf(6, value, CUSTOMER_BITS), prefix: CUSTOMER_BITS })
}

/** @returns undefined for what is neither an IP address nor a network */
export function parseAddressRange(text: string): AddressRange | undefined {
  const match = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text)
  if (match === null || isIP(match[1]) === 0) return undefined
  const canonical = canonicalAddress(match[1])
  const version = isIPv4(canonical) ? 4 : 6
  const isMapped = version === 4 && match[1].includes(':')
  const prefix = match[2] === undefined ? BITS[version] : Number(match[2]) - (isMapped ? MAPPED_BITS : 0)
  if (prefix < 0 || prefix > BITS[version]) return undefined
  return { version, value: firstOf(version, addressValue(canonical), prefix), prefix }
}

export function isAddressRange(text: string): boolean {
  return parseAddressRange(text) !== undefined
}

/** One text for each: `192.0.2.7` for a single address, `192.0.2.0/24` for a network. */
export function rangeText({ version, value, prefix }: AddressRange): string {
  const address = addressText(version, value)
  return prefix === BITS[version] ? address : `${address}/${prefix}`
}

export function isWithin(inner: AddressRange, { version, value, prefix }: AddressRange): boolean {
  return inner.version === version && inner.prefix >= prefix && firstOf(version, inner.value, prefix) === value
}

/** First address of the network of that prefix which has the address. */
export function firstOf(version: 4 | 6, value: bigint, prefix: number): bigint {
  const rest = BigInt(BITS[version] - prefix)
  return (value >> rest) << rest
}

/** @param canonical an IP address */
function addressValue(canonical: string): bigint {
  const bytes = (text: string): bigint => text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
  if (isIPv4(canonical)) return bytes(canonical)
  // an IPv4 address at the end stands for two groups
  const hex = canonical.replace(/\d+\.\d+\.\d+\.\d+$/, (text) => {
    const value = bytes(text)
    return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
  })
  const [head, tail] = hex.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...first, ...new Array<string>(8 - first.length - last.length).fill('0'), ...last]
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n)
}

function addressText(version: 4 | 6, value: bigint): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.')
  const groups = Array.from({ length: 8 }, (_, place) => (value >> BigInt(112 - place * 16)) & 0xffffn)
  return new SocketAddress({ address: groups.map((group) => group.toString(16)).join(':'), family: 'ipv6' }).address
}
