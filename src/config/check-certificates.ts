/** Certificates of a listener: readable, of one piece, and still valid. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { BrokerError, messageOf } from '../base/errors.js'
import { systemReason } from '../base/system-error.js'
import type { Finding } from './finding.js'
import type { Listener } from './schema.js'

const DAY_MS = 86_400_000
const WARN_BEFORE_DAYS = 14

/** @param key of the listener, for messages */
export function checkCertificates(key: string, { tls }: Listener, nowMs: number): Finding[] {
  if (tls === undefined) return []
  const { certFile, keyFile, pfxFile, caFile, passphrase, minVersion } = tls
  try {
    const cert = readIfNamed(certFile)
    const ca = readIfNamed(caFile)
    createSecureContextFor(pfxFile ?? certFile ?? '', {
      cert,
      key: readIfNamed(keyFile),
      pfx: readIfNamed(pfxFile),
      passphrase,
      minVersion,
    })
    if (caFile !== undefined && ca !== undefined) certificateOf(caFile, ca) // a secure context takes any bytes as authorities
    return cert === undefined || certFile === undefined ? [] : checkValidity(key, certFile, cert, nowMs)
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    return [{ severity: 'error', message: `${key}: ${error.message}`, remedy: error.remedy }]
  }
}

function readIfNamed(path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path)
  } catch (error) {
    throw new BrokerError('FILE_UNREADABLE', { path, reason: systemReason(error) }, { cause: error })
  }
}

function createSecureContextFor(path: string, options: Parameters<typeof createSecureContext>[0]): void {
  try {
    createSecureContext(options)
  } catch (error) {
    throw new BrokerError('CERTIFICATE_INVALID', { path, reason: messageOf(error) }, { cause: error })
  }
}

function certificateOf(path: string, pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw new BrokerError('CERTIFICATE_INVALID', { path, reason: messageOf(error) }, { cause: error })
  }
}

function checkValidity(key: string, path: string, pem: Buffer, nowMs: number): Finding[] {
  const { validFrom, validTo } = certificateOf(path, pem)
  const finding = (message: string): Finding[] => [
    { severity: 'warning', message: `${key}: the certificate ${path} ${message}`, remedy: 'renew it' },
  ]
  if (nowMs < Date.parse(validFrom)) return finding(`is not valid before ${validFrom}`)
  if (nowMs > Date.parse(validTo)) return finding(`is not valid since ${validTo}`)
  if (nowMs > Date.parse(validTo) - WARN_BEFORE_DAYS * DAY_MS) return finding(`will not be valid after ${validTo}`)
  return []
}
