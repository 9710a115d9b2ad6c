/** The files that TLS needs: read, and found to be whole, before anything is built from them. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContext } from 'node:tls'
import { BrokerError, messageOf } from '../base/errors.js'
import { systemReason } from '../base/system-error.js'

/** As the configuration names them: a pair of PEM files, or one in PKCS#12. */
export interface CertificateFiles {
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  readonly pfxFile?: string | undefined
  readonly passphrase?: string | undefined
  readonly ocspFile?: string | undefined
}

/** A certificate with its key. */
export interface Certificate {
  /** For messages. */
  readonly path: string
  readonly secrets: Readonly<Record<'cert' | 'key' | 'pfx', Buffer | undefined>> & { readonly passphrase?: string }
  /** undefined where Node.js does not tell it of a PKCS#12 file. */
  readonly leaf: X509Certificate | undefined
  /** What the authority says of it, for clients that ask (OCSP), in DER. */
  readonly ocsp: Buffer | undefined
}

/** What certificates of clients are checked against. */
export interface Trust {
  readonly ca: Buffer | undefined
  readonly authorities: readonly X509Certificate[]
  /** Revocation lists, each in PEM by itself: of several in one text, Node.js takes the first alone. */
  readonly crls: readonly Buffer[]
}

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g
const PEM_LIST = /-----BEGIN X509 CRL-----[\s\S]*?-----END X509 CRL-----/g
const PEM_BEGIN = /-----BEGIN /g
/** Of an OCSP response: SEQUENCE, then ENUMERATED with `successful`. */
const OCSP_SUCCESSFUL = [0x0a, 1, 0]

/** @throws BrokerError FILE_UNREADABLE or CERTIFICATE_INVALID */
export function readCertificate(files: CertificateFiles): Certificate {
  const { certFile, keyFile, pfxFile, ocspFile, passphrase } = files
  const path = pfxFile ?? certFile ?? ''
  const cert = readFile(certFile)
  const secrets = { cert, key: readFile(keyFile), pfx: readFile(pfxFile), passphrase }
  const context = attempt(path, () => createSecureContext(secrets), keyFile)
  const [first] = cert === undefined ? [] : parseCertificates(path, cert)
  const leaf = first ?? leafOf(context)
  const ocsp = readFile(ocspFile)
  if (ocspFile !== undefined && ocsp !== undefined) checkOcsp(ocspFile, ocsp)
  return { path, secrets, leaf, ocsp }
}

/** @throws BrokerError FILE_UNREADABLE or CERTIFICATE_INVALID */
export function readTrust(caFile: string | undefined, crlFile: string | undefined): Trust {
  const ca = readFile(caFile)
  const crls = crlFile === undefined ? [] : readLists(crlFile)
  // a secure context takes any bytes as authorities, and goes on without those it cannot read
  const authorities = ca === undefined ? [] : parseCertificates(caFile ?? '', ca)
  return { ca, authorities, crls }
}

/** @throws BrokerError FILE_UNREADABLE or CERTIFICATE_INVALID */
export function readLists(path: string): Buffer[] {
  const text = readFile(path)?.toString('latin1') ?? ''
  const blocks = text.match(PEM_LIST) ?? []
  if (blocks.length === 0) throw invalid(path, 'there is no revocation list in PEM in it')
  checkEnds(path, text)
  return blocks.map((block) => {
    const crl = Buffer.from(block)
    attempt(path, () => createSecureContext({ crl }))
    return crl
  })
}

function readFile(path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new BrokerError('FILE_UNREADABLE', { path, reason: systemReason(cause) }, { cause })
  }
}

/** All of a PEM file, which has one at least. */
function parseCertificates(path: string, pem: Buffer): X509Certificate[] {
  const text = pem.toString('latin1')
  const blocks = text.match(PEM_BLOCK) ?? []
  const certificates = blocks.map((block) => attempt(path, () => new X509Certificate(block)))
  checkEnds(path, text)
  if (certificates.length === 0) throw invalid(path, 'there is no certificate in PEM in it')
  return certificates
}

function checkEnds(path: string, pem: string): void {
  const begun = pem.match(PEM_BEGIN)?.length ?? 0
  const ended = pem.match(/-----END /g)?.length ?? 0
  if (begun !== ended) throw invalid(path, 'its end is missing')
}

/** Node.js has this for itself and does not document it: where it is gone, the certificate in a PKCS#12 file is not known. */
function leafOf(context: SecureContext): X509Certificate | undefined {
  const { getCertificate } = context.context as { getCertificate?: () => Buffer | null }
  const der = getCertificate?.call(context.context)
  return der ? new X509Certificate(der) : undefined
}

function checkOcsp(path: string, der: Buffer): void {
  const lengthBytes = der[1] >= 0x80 ? der[1] & 0x7f : 0
  const start = 2 + lengthBytes
  const length = lengthBytes === 0 ? der[1] : lengthBytes <= 3 ? der.readUIntBE(2, Math.min(lengthBytes, 3)) : -1
  const isWhole = der.length > 8 && der[0] === 0x30 && start + length === der.length
  if (!isWhole) throw invalid(path, 'it is no whole OCSP response in DER')
  if (OCSP_SUCCESSFUL.some((byte, index) => der[start + index] !== byte)) {
    throw invalid(path, 'the authority has refused to answer in it')
  }
}

function attempt<Result>(path: string, act: () => Result, keyFile = 'its key'): Result {
  try {
    return act()
  } catch (cause) {
    throw invalid(path, reasonOf(messageOf(cause), keyFile), cause)
  }
}

/** What OpenSSL says of certificates that do not fit, or are so weak that it refuses them by itself, in words. */
function reasonOf(message: string, keyFile: string): string {
  if (/key (values|type) mismatch/.test(message)) return `it and the key ${keyFile} do not belong together`
  if (message.includes('md too weak')) return 'it is signed with a hash that can be forged (SHA-1 or MD5)'
  return message.includes('key too small') ? 'its key is too short' : message
}

function invalid(path: string, reason: string, cause?: unknown): BrokerError {
  return new BrokerError('CERTIFICATE_INVALID', { path, reason }, { cause })
}
