/** Certificates of a listener: readable, of one piece, still valid, strong enough, and their keys kept from others. */
import type { X509Certificate } from 'node:crypto'
import { BrokerError } from '../base/errors.js'
import { type CertificateFiles, readCertificate, readLists, readTrust } from './certificate-files.js'
import { checkPrivate } from './check-files.js'
import type { Finding } from './finding.js'
import { type Period, periodOfList, periodOfResponse } from './revocation-dates.js'
import type { Listener } from './schema.js'

const DAY_MS = 86_400_000
const WARN_BEFORE_DAYS = 14
/** What holds for days or hours alone is warned of when this part of its time is left. */
const WARN_BEFORE_PART = 0.2
const RSA_BITS_MIN = 2_048
const EC_CURVES_WEAK = ['prime192v1', 'secp192k1', 'secp224r1', 'secp224k1', 'sect163k1', 'sect163r2']

/** @param key of the listener, for messages */
export function checkCertificates(key: string, { tls }: Listener, nowMs: number): Finding[] {
  if (tls === undefined) return []
  return [
    ...checkCertificate(key, tls, undefined, nowMs),
    ...tls.names.flatMap((named) => checkCertificate(key, named, named.serverName, nowMs)),
    ...checkLists(key, tls.crlFile, nowMs),
    ...orError(key, () => {
      const { authorities } = readTrust(tls.caFile, undefined)
      const past = authorities.filter(({ validTo }) => nowMs > Date.parse(validTo))
      return past.map((authority) => {
        const message = `${key}: the authority ${oneLine(authority)} in ${tls.caFile} is not valid since ${authority.validTo}`
        return { severity: 'warning', message, remedy: 'put its successor into the file' }
      })
    }),
  ]
}

function checkCertificate(
  key: string,
  files: CertificateFiles,
  serverName: string | undefined,
  nowMs: number,
): Finding[] {
  const findings = orError(key, () => {
    const { leaf, path, ocsp } = readCertificate(files)
    const ofOcsp = checkOcsp(key, files, ocsp, nowMs)
    if (leaf === undefined) return ofOcsp
    return [
      ...ofOcsp,
      ...checkValidity(key, path, leaf, nowMs),
      ...checkStrength(key, path, leaf),
      ...(serverName === undefined ? [] : checkName(key, path, leaf, serverName)),
    ]
  })
  return [...findings, ...checkPrivate(files.keyFile), ...checkPrivate(files.pfxFile)]
}

function checkLists(key: string, crlFile: string | undefined, nowMs: number): Finding[] {
  if (crlFile === undefined) return []
  return orError(key, () =>
    readLists(crlFile).flatMap((list) =>
      checkPeriod(`${key}: a revocation list in ${crlFile}`, periodOfList(list), nowMs, {
        past: 'clients of its authority are refused',
        remedy: 'put the next one of that authority into the file',
      }),
    ),
  )
}

function checkOcsp(key: string, { ocspFile }: CertificateFiles, ocsp: Buffer | undefined, nowMs: number): Finding[] {
  if (ocsp === undefined) return []
  return checkPeriod(`${key}: the OCSP response ${ocspFile}`, periodOfResponse(ocsp), nowMs, {
    past: 'clients that ask for it may refuse the broker',
    remedy: 'fetch it again: docs/tls.md',
  })
}

function checkPeriod(
  what: string,
  period: Period | undefined,
  nowMs: number,
  { past, remedy }: { readonly past: string; readonly remedy: string },
): Finding[] {
  if (period === undefined) return []
  const { fromMs, untilMs } = period
  const until = new Date(untilMs).toUTCString()
  if (nowMs > untilMs) return [{ severity: 'warning', message: `${what} is not valid since ${until}: ${past}`, remedy }]
  if (nowMs <= untilMs - warnBeforeMs(period)) {
    if (nowMs >= fromMs) return []
    const message = `${what} is not valid before ${new Date(fromMs).toUTCString()}: ${past}`
    return [{ severity: 'warning', message, remedy: 'set the clock, or wait' }]
  }
  return [{ severity: 'warning', message: `${what} will not be valid after ${until}`, remedy }]
}

function warnBeforeMs({ fromMs, untilMs }: Period): number {
  return Math.min(WARN_BEFORE_DAYS * DAY_MS, (untilMs - fromMs) * WARN_BEFORE_PART)
}

function orError(key: string, check: () => Finding[]): Finding[] {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    return [{ severity: 'error', message: `${key}: ${error.message}`, remedy: error.remedy }]
  }
}

function warning(key: string, path: string, message: string, remedy: string): Finding[] {
  return [{ severity: 'warning', message: `${key}: the certificate ${path} ${message}`, remedy }]
}

function checkValidity(key: string, path: string, { validFrom, validTo }: X509Certificate, nowMs: number): Finding[] {
  const finding = (message: string): Finding[] => warning(key, path, message, 'renew it')
  if (nowMs < Date.parse(validFrom)) return finding(`is not valid before ${validFrom}`)
  if (nowMs > Date.parse(validTo)) return finding(`is not valid since ${validTo}`)
  if (nowMs > Date.parse(validTo) - WARN_BEFORE_DAYS * DAY_MS) return finding(`will not be valid after ${validTo}`)
  return []
}

function checkStrength(key: string, path: string, certificate: X509Certificate): Finding[] {
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey
  const { modulusLength, namedCurve } = asymmetricKeyDetails ?? {}
  const findings: Finding[] = []
  if (asymmetricKeyType === 'rsa' && modulusLength !== undefined && modulusLength < RSA_BITS_MIN) {
    const message = `has a key of RSA with ${modulusLength} bits, which can be broken`
    findings.push(...warning(key, path, message, `make one with ${RSA_BITS_MIN} bits or more, or one of EC (P-256)`))
  }
  if (namedCurve !== undefined && EC_CURVES_WEAK.includes(namedCurve)) {
    findings.push(...warning(key, path, `has a key on the weak curve ${namedCurve}`, 'make one on the curve P-256'))
  }
  return findings
}

function checkName(key: string, path: string, leaf: X509Certificate, serverName: string): Finding[] {
  const name = serverName.replace(/^\*/, 'any')
  if (leaf.checkHost(name) !== undefined) return []
  return warning(key, path, `is not for the name ${serverName}`, 'clients will refuse it: use one that has this name')
}

function oneLine({ subject }: X509Certificate): string {
  return subject.replaceAll('\n', ', ')
}
