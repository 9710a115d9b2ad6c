import fc from 'fast-check'
import t from 'tap'
import { makeCertificate, revocationList } from './certificates.fixture.js'
import { periodOfList, periodOfResponse } from './revocation-dates.js'

/** What `openssl ocsp -ndays 7` answers. */
const RESPONSE = Buffer.from(
  `MIIBIwoBAKCCARwwggEYBgkrBgEFBQcwAQEEggEJMIIBBTCBraEPMA0xCzAJBgNVBAMMAmNhGA8yMDI2MTEyMjA5MzcxNlowZDBiMDowCQYFKw4DAhoF
  AAQUEQSM0gyzWSMH0Bn9CIlWK2LTZJIEFCMJxehxj3RU/qBvKpc9p9Fa9b76AgEHgAAYDzIwMjYxMTIyMDkzNzE2WqARGA8yMDI2MTEyOTA5MzcxNlqh
  IzAhMB8GCSsGAQUFBzABAgQSBBC3BMVZIvI6gFrVrU/kfkf8MAoGCCqGSM49BAMCA0cAMEQCICe/3cwGzY/3vLwYHj/cbiAhckFT5u9xG/80pZGAqIoc
  AiAHlLQlnEccKLQbg/vSbk7XVFNQNssULCX2rHTl+kq2SQ==`,
  'base64',
)

t.test('a revocation list', async (t) => {
  const authority = await makeCertificate('CN=authority', { isAuthority: true })
  const revoked = await makeCertificate('CN=revoked', { issuer: authority })
  const before = Date.now()
  const list = await revocationList(authority, [revoked], 48)
  const { fromMs, untilMs } = periodOfList(Buffer.from(list))!
  t.ok(Math.abs(fromMs - before) < 60_000)
  t.equal(Math.round((untilMs - fromMs) / 3_600_000), 48)
})

t.test('an OCSP response', async (t) => {
  t.same(periodOfResponse(RESPONSE), {
    fromMs: Date.parse('2026-11-22T09:37:16Z'),
    untilMs: Date.parse('2026-11-29T09:37:16Z'),
  })
})

t.test('what cannot be read names no end', async (t) => {
  for (const read of [periodOfList, periodOfResponse]) {
    for (const text of ['', '300a0a0100a0053003020101', '30', '3080', '3084ffffffff', '308500000000ff', '0500']) {
      const der = Buffer.from(text, 'hex')
      t.equal(read === periodOfList ? read(Buffer.from(der.toString('base64'))) : read(der), undefined, text)
    }
  }
  for (let length = 0; length < RESPONSE.length - 1; length++) {
    t.doesNotThrow(() => periodOfResponse(RESPONSE.subarray(0, length)))
  }
  fc.assert(
    fc.property(fc.nat(RESPONSE.length - 1), fc.nat(255), (at, byte) => {
      const changed = Buffer.from(RESPONSE)
      changed[at] = byte
      periodOfResponse(changed) // must not throw
    }),
    { numRuns: 300 },
  )
})
