import t from 'tap'
import { CATALOGUE } from '../base/errors.js'
import { ReasonCode, ReturnCode, reasonCodeName, returnCodeFor } from './reason-codes.js'

t.test('every reason code has a name of its own', async (t) => {
  const codes = Object.values(ReasonCode)
  t.equal(new Set(codes).size, codes.length)
  t.equal(codes.length, 43, 'as many as table 2-6 has codes')
  t.equal(reasonCodeName(0x97), 'quota exceeded')
  t.equal(reasonCodeName(0x77), 'reason code 0x77')
})

t.test('every error of the catalogue tells clients a code of the specification', async (t) => {
  const known = new Set<number>(Object.values(ReasonCode))
  for (const [code, { reasonCode }] of Object.entries(CATALOGUE)) t.ok(known.has(reasonCode), code)
})

t.test('return codes before MQTT 5', async (t) => {
  t.equal(returnCodeFor(ReasonCode.SUCCESS), ReturnCode.ACCEPTED)
  t.equal(returnCodeFor(ReasonCode.UNSUPPORTED_PROTOCOL_VERSION), 1)
  t.equal(returnCodeFor(ReasonCode.CLIENT_IDENTIFIER_NOT_VALID), 2)
  t.equal(returnCodeFor(ReasonCode.SERVER_BUSY), 3)
  t.equal(returnCodeFor(ReasonCode.BAD_USER_NAME_OR_PASSWORD), 4)
  t.equal(returnCodeFor(ReasonCode.NOT_AUTHORIZED), 5)
  t.equal(returnCodeFor(ReasonCode.MALFORMED_PACKET), undefined)
  t.equal(returnCodeFor(ReasonCode.TOPIC_NAME_INVALID), undefined)
})
