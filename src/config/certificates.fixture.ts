/** For tests: authorities, certificates that they sign, and their revocation lists. */
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  BasicConstraintsExtension,
  cryptoProvider,
  type Extension,
  type JsonGeneralName,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '@peculiar/x509'

cryptoProvider.set(webcrypto as never)

const DAY_MS = 86_400_000
const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
let issued = 0

export interface TestCertificate {
  readonly certificate: X509Certificate
  readonly keys: Awaited<ReturnType<typeof makeKeys>>
  readonly pem: string
  readonly key: string
}

export interface CertificateWishes {
  /** Signs it; itself where left out. */
  readonly issuer?: TestCertificate
  readonly isAuthority?: boolean
  readonly altNames?: readonly JsonGeneralName[]
  readonly algorithm?: object
  readonly extensions?: readonly Extension[]
}

/** @param subject such as `CN=boiler-7` */
export async function makeCertificate(subject: string, wishes: CertificateWishes = {}): Promise<TestCertificate> {
  const { issuer, isAuthority = false, altNames, algorithm = EC, extensions = [] } = wishes
  const keys = await makeKeys(algorithm)
  const now = Date.now()
  const certificate = await X509CertificateGenerator.create({
    serialNumber: (0x1000 + issued++).toString(16),
    subject,
    issuer: issuer?.certificate.subject ?? subject,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + 365 * DAY_MS),
    signingAlgorithm: algorithm as never,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    extensions: [
      new BasicConstraintsExtension(isAuthority),
      ...(altNames === undefined ? [] : [new SubjectAlternativeNameExtension([...altNames])]),
      ...extensions,
    ],
  })
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  const key = `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`
  return { certificate, keys, pem: `${certificate.toString('pem')}\n`, key }
}

/** @param hours until the next one @returns the revocation list of an authority, in PEM */
export async function revocationList(
  authority: TestCertificate,
  revoked: readonly TestCertificate[],
  hours = 365 * 24,
): Promise<string> {
  const now = Date.now()
  const list = await X509CrlGenerator.create({
    issuer: authority.certificate.subject,
    thisUpdate: new Date(now - 1_000),
    nextUpdate: new Date(now + hours * 3_600_000),
    entries: revoked.map(({ certificate }) => ({
      serialNumber: certificate.serialNumber,
      revocationDate: new Date(now),
    })),
    signingAlgorithm: EC as never,
    signingKey: authority.keys.privateKey,
  })
  return `${list.toString('pem').replaceAll(' CRL-', ' X509 CRL-')}\n`
}

/** Writes `NAME.pem` and `NAME.key`. @returns them as the configuration names them */
export function writeFiles(folder: string, name: string, { pem, key }: TestCertificate) {
  const files = { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}.key`) }
  writeFileSync(files.certFile, pem)
  writeFileSync(files.keyFile, key, { mode: 0o600 })
  return files
}

async function makeKeys(algorithm: object) {
  return webcrypto.subtle.generateKey(algorithm as webcrypto.EcKeyGenParams, true, ['sign', 'verify'])
}
