/** Certificates of a listener, read from their files. */
import { readFileSync } from 'node:fs'
import type { TlsOptions } from 'node:tls'
import { createSecureContext } from 'node:tls'
import { BrokerError, messageOf } from '../base/errors.js'
import { systemReason } from '../base/system-error.js'
import type { Listener } from '../config/schema.js'

/** @throws BrokerError FILE_UNREADABLE or CERTIFICATE_INVALID */
export function readTlsOptions(listener: Listener): TlsOptions {
  const { tls } = listener
  if (tls === undefined) return {}
  const options: TlsOptions = {
    cert: readOptional(tls.certFile),
    key: readOptional(tls.keyFile),
    pfx: readOptional(tls.pfxFile),
    ca: readOptional(tls.caFile),
    passphrase: tls.passphrase,
    minVersion: tls.minVersion,
    requestCert: tls.clientCertificate !== 'none',
    rejectUnauthorized: tls.clientCertificate === 'required',
  }
  try {
    createSecureContext(options)
  } catch (cause) {
    const path = tls.certFile ?? tls.pfxFile ?? ''
    throw new BrokerError('CERTIFICATE_INVALID', { path, reason: messageOf(cause) }, { cause })
  }
  return options
}

function readOptional(path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new BrokerError('FILE_UNREADABLE', { path, reason: systemReason(cause) }, { cause })
  }
}
