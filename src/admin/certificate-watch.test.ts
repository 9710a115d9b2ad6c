import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createSinkLogger } from '../base/log.js'
import { ManualClock } from '../base/manual-clock.fixture.js'
import { makeCertificate, revocationList, writeFiles } from '../config/certificates.fixture.js'
import { BrokerConfig } from '../config/schema.js'
import { CertificateWatch } from './certificate-watch.js'

const HOUR_MS = 3_600_000

t.test('what runs out is told before, once a day, until it is replaced', async (t) => {
  const folder = t.testdir({})
  const authority = await makeCertificate('CN=authority', { isAuthority: true })
  const files = writeFiles(folder, 'localhost', await makeCertificate('CN=localhost', { issuer: authority }))
  const { certFile: caFile } = writeFiles(folder, 'authority', authority)
  const crlFile = join(folder, 'lists.crl')
  writeFileSync(crlFile, await revocationList(authority, [], 100))
  const tls = { ...files, caFile, crlFile, clientCertificate: 'required' } as const
  const lines: string[] = []
  const log = createSinkLogger({ level: 'info', areas: {} }, ({ level, message, fields }) =>
    lines.push(`${level}: ${message} (${fields.remedy})`),
  )
  const clock = new ManualClock()
  clock.nowMs = Date.now()
  const watch = new CertificateWatch(BrokerConfig.parse({ listeners: [{ type: 'tls', port: 0, tls }] }), clock, log)
  const after = (hours: number): string[] => {
    lines.length = 0
    for (let hour = 0; hour < hours; hour++) {
      clock.nowMs += HOUR_MS
      watch.tick()
    }
    return [...lines]
  }
  watch.start()
  t.teardown(() => watch.stop())
  t.same([after(79), watch.warnings], [[], 0])
  t.match(after(2), [
    /^warn: listeners.0: a revocation list in .*lists\.crl will not be valid after .* \(put the next one/,
  ])
  t.equal(watch.warnings, 1)
  t.same(after(12), [], 'not each hour')
  t.match(after(13), [/is not valid since .*: clients of its authority are refused/])
  t.match([after(17), after(2)], [[], [/is not valid since/]], 'a day later')
  writeFileSync(crlFile, await revocationList(authority, [], 1_000))
  t.same([after(1), watch.warnings], [[], 0])
  t.equal(new CertificateWatch(BrokerConfig.parse({}), clock, log).warnings, undefined, 'without certificates')
})
