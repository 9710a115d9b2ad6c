/** mqtt-packet behind our types: the only file that imports it. It is lenient, so bytes are checked before it sees them. */
import { createRequire } from 'node:module'
import type mqttPacket from 'mqtt-packet'
import type {
  IAuthPacket,
  IConnackPacket,
  IConnectPacket,
  IDisconnectPacket,
  IPublishPacket,
  ISubackPacket,
  ISubscribePacket,
  IUnsubackPacket,
  IUnsubscribePacket,
  Packet,
} from 'mqtt-packet'
import type { ProtocolVersion, UserProperties } from './packets.js'

export type LibraryPacket = Packet
/** Its types leave out the bit of bridges, which it reads and writes. */
export type LibraryConnect = IConnectPacket & { bridgeMode?: boolean }
export type LibraryConnack = IConnackPacket
export type LibraryPublish = IPublishPacket
export type LibrarySubscribe = ISubscribePacket
export type LibrarySuback = ISubackPacket
export type LibraryUnsubscribe = IUnsubscribePacket
export type LibraryUnsuback = IUnsubackPacket
export type LibraryDisconnect = IDisconnectPacket
export type LibraryAuth = IAuthPacket

type Library = typeof mqttPacket

// its halves by themselves: what it reads packets with is large, and shards only write
const require = createRequire(import.meta.url)
const generate = require('mqtt-packet/generate.js') as Library['generate']
const writeToStream = require('mqtt-packet/writeToStream.js') as Library['writeToStream']
const reading = (): Pick<Library, 'parser'> => require('mqtt-packet/parser.js') as Pick<Library, 'parser'>

// its cache would hold 65,536 buffers in each thread
writeToStream.cacheNumbers = false

/**
 * @param bytes one whole packet; the values returned may be views of it
 * @throws Error what the library says, or that it found no packet in the bytes
 */
export function parseWithLibrary(bytes: Buffer, version: ProtocolVersion): LibraryPacket {
  const parser = reading().parser({ protocolVersion: version })
  let parsed: LibraryPacket | undefined
  parser.on('packet', (packet) => {
    parsed ??= packet
  })
  parser.on('error', (error) => {
    throw error
  })
  parser.parse(bytes)
  if (parsed === undefined) throw new Error('mqtt-packet found no packet')
  return parsed
}

/** @throws Error what the library says about the values */
export function generateWithLibrary(packet: LibraryPacket, version: ProtocolVersion): Uint8Array {
  return ownBytes(generate(packet, { protocolVersion: version }))
}

/**
 * A copy with memory of its own. The library returns views of Node's buffer pool: posted to another thread, one would
 * take the whole pool along, with whatever other clients have there.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}

/** The library takes `Buffer` only. @returns a view, not a copy */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/**
 * User properties as the library writes them in our order. It wants an object of names, which would lose the order of
 * repeated and of numeric names; a list of objects of one name each comes out as given.
 */
export function asLibraryUserProperties(pairs: UserProperties): { userProperties?: Record<string, string> } {
  if (pairs.length === 0) return {}
  const objects = pairs.map(([name, value]) => Object.defineProperty({}, name, { value, enumerable: true }))
  return { userProperties: objects as unknown as Record<string, string> }
}
