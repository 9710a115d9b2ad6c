/** The part of a listener that concerns TLS, and what its values must agree on. */
import * as z from 'zod'
import { FILE, SECRET } from './value-meta.js'

const file = (doc: string) =>
  z
    .string()
    .min(1)
    .optional()
    .describe(doc)
    .meta({ ...FILE })

const CERTIFICATE_FILES = {
  certFile: file('PEM file with the certificate and its chain.'),
  keyFile: file('PEM file with the private key of the certificate.'),
  pfxFile: file('PKCS#12 file with certificate and key, instead of `certFile` and `keyFile`.'),
  passphrase: z
    .string()
    .optional()
    .describe('Passphrase of the key or the PKCS#12 file. Never logged.')
    .meta({ ...SECRET }),
  ocspFile: file(
    'OCSP response for the certificate in DER, as its authority gives it out; handed to clients that ask for it.',
  ),
}

const Named = z.strictObject({
  serverName: z
    .string()
    .min(1)
    .max(255)
    .describe('Name that the client asks for, in lower case; `*.example.org` is all names with one level before it.'),
  ...CERTIFICATE_FILES,
})

export const Tls = z.strictObject({
  ...CERTIFICATE_FILES,
  names: z
    .array(Named)
    .max(100)
    .default([])
    .describe('Other certificates for clients that ask for another name of the server (SNI).'),
  caFile: file('PEM file with the authorities that client certificates are checked against.'),
  crlFile: file('PEM file with the revocation lists of all these authorities; certificates on them are refused.'),
  clientCertificate: z
    .enum(['none', 'optional', 'required'])
    .default('none')
    .describe(
      'Whether clients present a certificate signed by an authority of `caFile`. Where it is `optional` a client may have none, but one that does not hold is refused.',
    ),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').describe('Oldest TLS version accepted.'),
  handshakesMax: z
    .int()
    .min(1)
    .max(100_000)
    .default(1_000)
    .describe('TLS handshakes of this listener under way at once; further connections are closed.'),
})
export type Tls = z.infer<typeof Tls>
type Files = Pick<Tls, keyof typeof CERTIFICATE_FILES>

const SERVER_NAME = /^(\*\.)?([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/

/** @param problem takes the place of a value, and a message that follows its name */
export function checkTls(tls: Tls, problem: (path: readonly (string | number)[], message: string) => void): void {
  const { caFile, crlFile, clientCertificate, names } = tls
  checkFiles(tls, [], problem)
  names.forEach((named, index) => {
    const at = ['names', index]
    checkFiles(named, at, problem)
    const { serverName } = named
    if (!SERVER_NAME.test(serverName)) {
      problem([...at, 'serverName'], `must be a host name in lower case, but ${JSON.stringify(serverName)} was given`)
    }
    if (names.findIndex((other) => other.serverName === serverName) < index) {
      problem([...at, 'serverName'], `is ${JSON.stringify(serverName)}, as that of an earlier entry`)
    }
  })
  if (clientCertificate !== 'none' && caFile === undefined) {
    problem(['caFile'], `must be given, because clientCertificate is ${clientCertificate}`)
  }
  if (crlFile !== undefined && clientCertificate === 'none') {
    problem(['crlFile'], 'is of no use while clientCertificate is none')
  }
}

function checkFiles(
  files: Files,
  at: readonly (string | number)[],
  problem: (path: readonly (string | number)[], message: string) => void,
): void {
  const { certFile, keyFile, pfxFile } = files
  if (pfxFile !== undefined && (certFile ?? keyFile) !== undefined) {
    problem([...at, 'pfxFile'], 'is given together with certFile or keyFile: keep one of the two')
  }
  if (pfxFile === undefined && certFile === undefined) problem([...at, 'certFile'], 'must be given (or pfxFile)')
  if (pfxFile === undefined && keyFile === undefined) problem([...at, 'keyFile'], 'must be given (or pfxFile)')
}
