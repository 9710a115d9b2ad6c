/** Valid packets for property tests: every value that the specification allows, the odd ones often. */
import fc from 'fast-check'
import type { Auth, Connect, Disconnect, ProtocolVersion, Qos, Subscribe, Unsubscribe, Will } from './packets.js'
import { encodePublishProperties, type PublishProperties } from './publish-properties.js'

export const version = fc.constantFrom<ProtocolVersion>(3, 4, 5)
export const qos = fc.constantFrom<Qos>(0, 1, 2)
export const packetId = fc.integer({ min: 1, max: 65_535 })
const uint32 = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(0, 1, 0x8000_0000, 0xffff_ffff))

/** Any characters that a UTF-8 Encoded String may have, U+FEFF and non-characters included. */
export const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }).map((value) => value.replaceAll('\0', '\ufeff')),
  fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
)

const level = fc.oneof(
  text.map((value) => value.replace(/[/+#]/g, '-')),
  fc.constantFrom('', 'a', 'b', '$', '$SYS', '\ufeff'),
)
/** Valid, empty levels and `$` included. */
export const topicName = fc
  .array(level, { minLength: 1, maxLength: 5 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic.length > 0)

/** Valid, of an ordinary subscription or nearly always so: `$share` may begin it. */
export const topicFilter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([levels, all]) => [...levels, ...(all ? ['#'] : [])].join('/'))
  .filter((filter) => filter.length > 0)

const binary = fc.uint8Array({ maxLength: 12 })
export const userProperties = fc.array(
  fc.tuple(fc.oneof(text, fc.constantFrom('1', '0', '__proto__', 'a', 'b')), text),
  { maxLength: 4 },
)

export const publishProperties: fc.Arbitrary<PublishProperties> = fc.record(
  {
    payloadFormat: fc.constantFrom<0 | 1>(0, 1),
    expirySeconds: uint32,
    contentType: text,
    responseTopic: topicName,
    correlationData: binary,
    userProperties,
  },
  { requiredKeys: [] },
)

export const payload = fc.uint8Array({ maxLength: 300 })

function will(version: ProtocolVersion): fc.Arbitrary<Will> {
  return fc.record({
    topic: topicName,
    payload: binary,
    qos,
    retain: fc.boolean(),
    delaySeconds: version === 5 ? uint32 : fc.constant(0),
    publishProperties: (version === 5 ? publishProperties : fc.constant({})).map(encodePublishProperties),
  })
}

/** Each as `decodeControl` should give it back. */
export const connect: fc.Arbitrary<Connect> = version.chain((version) => {
  const only5 = <Value>(values: fc.Arbitrary<Value>, absent: Value): fc.Arbitrary<Value> =>
    version === 5 ? fc.oneof(values, fc.constant(absent)) : fc.constant(absent)
  return fc
    .record({
      kind: fc.constant('connect' as const),
      version: fc.constant(version),
      isBridge: version === 5 ? fc.constant(false) : fc.boolean(),
      clientId: version === 3 ? text.map((id) => id || 'x') : text,
      cleanStart: fc.boolean(),
      keepAliveSeconds: fc.integer({ min: 0, max: 65_535 }),
      userName: fc.option(text, { nil: undefined }),
      password: fc.option(binary, { nil: undefined }),
      will: fc.option(will(version), { nil: undefined }),
      sessionExpirySeconds: only5(uint32, 0),
      receiveMaximum: only5(fc.integer({ min: 1, max: 65_535 }), 65_535),
      maximumPacketBytes: only5(fc.integer({ min: 1, max: 0xffff_ffff }), 0xffff_ffff),
      topicAliasMaximum: only5(fc.integer({ min: 0, max: 65_535 }), 0),
      requestResponseInformation: only5(fc.boolean(), false),
      requestProblemInformation: only5(fc.boolean(), true),
      userProperties: only5(userProperties, []),
      authenticationMethod: only5(fc.option(text, { nil: undefined }), undefined),
      authenticationData: only5(fc.option(binary, { nil: undefined }), undefined),
    })
    .map((values) => ({
      ...values,
      cleanStart: values.cleanStart || values.clientId === '',
      password: values.userName === undefined ? undefined : values.password,
      authenticationData: values.authenticationMethod === undefined ? undefined : values.authenticationData,
      sessionExpirySeconds:
        version === 5 ? values.sessionExpirySeconds : values.cleanStart || values.clientId === '' ? 0 : 0xffff_ffff,
    }))
})

export function subscribe(version: ProtocolVersion): fc.Arbitrary<Subscribe> {
  const flag = version === 5 ? fc.boolean() : fc.constant(false)
  return fc.record({
    kind: fc.constant('subscribe' as const),
    packetId,
    subscriptions: fc.array(
      fc.record({
        filter: topicFilter,
        qos,
        noLocal: flag,
        retainAsPublished: flag,
        retainHandling: version === 5 ? fc.constantFrom<0 | 1 | 2>(0, 1, 2) : fc.constant<0>(0),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    subscriptionIdentifier:
      version === 5 ? fc.option(fc.integer({ min: 1, max: 268_435_455 }), { nil: undefined }) : fc.constant(undefined),
    userProperties: version === 5 ? userProperties : fc.constant([]),
  })
}

export function unsubscribe(version: ProtocolVersion): fc.Arbitrary<Unsubscribe> {
  return fc.record({
    kind: fc.constant('unsubscribe' as const),
    packetId,
    filters: fc.array(topicFilter, { minLength: 1, maxLength: 4 }),
    userProperties: version === 5 ? userProperties : fc.constant([]),
  })
}

/** Of MQTT 5. */
export const disconnect: fc.Arbitrary<Disconnect> = fc.record({
  kind: fc.constant('disconnect' as const),
  reasonCode: fc.constantFrom(0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99),
  sessionExpirySeconds: fc.option(uint32, { nil: undefined }),
  reasonString: fc.option(text, { nil: undefined }),
  userProperties,
})

export const auth: fc.Arbitrary<Auth> = fc.record({
  kind: fc.constant('auth' as const),
  reasonCode: fc.constantFrom(0x18, 0x19),
  authenticationMethod: text,
  authenticationData: fc.option(binary, { nil: undefined }),
  reasonString: fc.option(text, { nil: undefined }),
  userProperties,
})

/** Bytes that resemble packets: any at all, or valid ones of which a few are changed, cut off or repeated. */
export function damaged(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
  return fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(valid, fc.array(change, { maxLength: 3 }), fc.option(fc.nat()))
        .map(([bytes, changes, cut]) => {
          const copy = Uint8Array.from(bytes)
          for (const [at, value] of changes) copy[at % copy.length] = value
          return cut === null ? copy : copy.slice(0, cut % (copy.length + 1))
        }),
    },
  )
}
