import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  encodeClientAuth,
  encodeClientDisconnect,
  encodeConnect,
  encodeSubscribe,
  encodeUnsubscribe,
} from './client-codec.js'
import { type ControlType, connectVersion, decodeControl } from './control-codec.js'
import { asBuffer, type LibraryConnect, parseWithLibrary } from './packet-library.js'
import * as arbitrary from './packets.arbitraries.js'
import { PacketType } from './packets.js'
import { refusalOf } from './wire.fixture.js'

/** Buffers and Uint8Arrays as equal when their bytes are. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]))
}

function sameValues(actual: unknown, expected: unknown): void {
  assert.deepEqual(plain(actual), plain(expected))
}

t.test('CONNECT of every version', async () => {
  fc.assert(
    fc.property(arbitrary.connect, (connect) => {
      const packet = encodeConnect(connect)
      sameValues(decodeControl(PacketType.CONNECT, packet, 4), connect)
      assert.equal(connectVersion(packet), connect.version)
    }),
    { numRuns: 500 },
  )
})

t.test('SUBSCRIBE, UNSUBSCRIBE, DISCONNECT, AUTH', async () => {
  fc.assert(
    fc.property(
      arbitrary.version.chain((version) =>
        fc.tuple(fc.constant(version), arbitrary.subscribe(version), arbitrary.unsubscribe(version)),
      ),
      arbitrary.disconnect,
      arbitrary.auth,
      ([version, subscribe, unsubscribe], disconnect, auth) => {
        const shared = subscribe.subscriptions.some(({ filter, noLocal }) => noLocal && filter.startsWith('$share/'))
        fc.pre(!shared)
        sameValues(decodeControl(PacketType.SUBSCRIBE, encodeSubscribe(subscribe, version), version), subscribe)
        sameValues(decodeControl(PacketType.UNSUBSCRIBE, encodeUnsubscribe(unsubscribe, version), version), unsubscribe)
        sameValues(decodeControl(PacketType.DISCONNECT, encodeClientDisconnect(disconnect, 5), 5), disconnect)
        sameValues(decodeControl(PacketType.AUTH, encodeClientAuth(auth), 5), auth)
      },
    ),
  )
})

t.test('user properties: mqtt-packet finds the same, though not in order', async () => {
  fc.assert(
    fc.property(arbitrary.connect, (connect) => {
      const parsed = parseWithLibrary(asBuffer(encodeConnect(connect)), connect.version) as LibraryConnect
      const names = Object.keys(parsed.properties?.userProperties ?? {}).sort()
      assert.deepEqual(names, [...new Set(connect.userProperties.map(([name]) => name))].sort())
    }),
  )
})

const TYPES: readonly ControlType[] = [
  PacketType.CONNECT,
  PacketType.SUBSCRIBE,
  PacketType.UNSUBSCRIBE,
  PacketType.DISCONNECT,
  PacketType.AUTH,
]

t.test('any bytes are decoded, or refused before mqtt-packet sees them', async () => {
  const valid = fc.oneof(
    arbitrary.connect.map(encodeConnect),
    arbitrary.version.chain((version) =>
      arbitrary.subscribe(version).map((packet) => encodeSubscribe(packet, version)),
    ),
    arbitrary.unsubscribe(5).map((packet) => encodeUnsubscribe(packet, 5)),
    arbitrary.disconnect.map((packet) => encodeClientDisconnect(packet, 5)),
    arbitrary.auth.map(encodeClientAuth),
  )
  fc.assert(
    fc.property(arbitrary.damaged(valid), fc.constantFrom(...TYPES), arbitrary.version, (bytes, anyType, version) => {
      connectVersion(bytes)
      for (const type of [anyType, bytes[0] >> 4]) {
        if (!TYPES.includes(type as ControlType)) continue
        refusalOf(() => decodeControl(type as ControlType, bytes, version))
      }
    }),
    { numRuns: 4_000 },
  )
})
