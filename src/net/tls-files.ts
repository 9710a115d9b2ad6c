/** What a TLS listener is built from: its files as they were when they were read, and the settings that go with them. */
import { constants, createHash, hkdfSync } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import { BrokerError } from '../base/errors.js'
import { type Certificate, readCertificate, readTrust, type Trust } from '../config/certificate-files.js'
import type { Tls } from '../config/listener-tls.js'

export interface TlsMaterial {
  readonly certificate: Certificate
  readonly names: readonly { readonly serverName: string; readonly certificate: Certificate }[]
  readonly trust: Trust
  /** Of certificates, keys, authorities and revocation lists. */
  readonly digest: Buffer
}

/** Forward secrecy and authenticated encryption, and nothing else. */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':')
const TICKET_KEYS_BYTES = 48
const SESSION_SECONDS = 3_600
/** Characters; OpenSSL takes no more. */
const SESSION_CONTEXT_LENGTH = 32

/** @throws BrokerError FILE_UNREADABLE or CERTIFICATE_INVALID */
export function readTlsMaterial(tls: Tls): TlsMaterial {
  const certificate = readCertificate(tls)
  const names = tls.names.map((named) => ({ serverName: named.serverName, certificate: readCertificate(named) }))
  const trust = readTrust(tls.caFile, tls.crlFile)
  const hash = createHash('sha256')
  for (const { secrets, path, ocsp, leaf } of [certificate, ...names.map((named) => named.certificate)]) {
    if (ocsp !== undefined && leaf === undefined) {
      const reason = 'ocspFile needs a certificate in PEM with this version of Node.js'
      throw new BrokerError('CERTIFICATE_INVALID', { path, reason })
    }
    for (const part of [secrets.cert, secrets.key, secrets.pfx]) hashPart(hash, part as Buffer | undefined)
  }
  for (const part of [trust.ca, ...trust.crls]) hashPart(hash, part)
  return { certificate, names, trust, digest: hash.digest() }
}

function hashPart(hash: ReturnType<typeof createHash>, part: Buffer | undefined): void {
  hash.update(`${part?.length ?? -1}:`).update(part ?? '')
}

/** Every file that is read. */
export function tlsFilesOf(tls: Tls): string[] {
  const certificates = [tls, ...tls.names].flatMap(({ certFile, keyFile, pfxFile, ocspFile }) => [
    certFile,
    keyFile,
    pfxFile,
    ocspFile,
  ])
  return [...certificates, tls.caFile, tls.crlFile].filter((path) => path !== undefined)
}

/** Names what its sessions belong to: one listener with its settings and the contents of its files. */
export function sessionScope(listener: string, tls: Tls, { digest }: TlsMaterial): Buffer {
  const settings = JSON.stringify([listener, tls.clientCertificate, tls.minVersion])
  return createHash('sha256').update(settings).update(digest).digest()
}

/**
 * Of one certificate of the listener. Authorities belong to all of them, because what a client shows is checked against
 * those of the certificate that its server name has led to; without any, it would be checked against those of the web.
 */
export function contextOptions(
  tls: Tls,
  { trust }: TlsMaterial,
  certificate: Certificate,
  scope: Buffer,
  ticketSecret: Uint8Array,
): SecureContextOptions & { readonly ticketKeys: Buffer } {
  const asksForCertificate = tls.clientCertificate !== 'none'
  // a session of one listener, or of other settings, must not go on here: it was checked by other rules, or not at all
  const ticketKeys = Buffer.from(hkdfSync('sha256', ticketSecret, scope, 'TLS session tickets', TICKET_KEYS_BYTES))
  return {
    ...certificate.secrets,
    ca: asksForCertificate ? trust.ca : undefined,
    crl: asksForCertificate && trust.crls.length > 0 ? [...trust.crls] : undefined,
    minVersion: tls.minVersion,
    ciphers: CIPHERS,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (needsRootCheck(tls) ? constants.SSL_OP_NO_TICKET : 0),
    sessionIdContext: scope.toString('hex').slice(0, SESSION_CONTEXT_LENGTH),
    sessionTimeout: SESSION_SECONDS,
    ticketKeys,
  }
}

/**
 * A PKCS#12 file may hold authorities, which Node.js then trusts with client certificates too, although `caFile` does not
 * name them: where a chain ends must be looked at. A session that goes on would show no chain; so there are none.
 */
export function needsRootCheck(tls: Tls): boolean {
  return tls.clientCertificate !== 'none' && [tls, ...tls.names].some(({ pfxFile }) => pfxFile !== undefined)
}
