/** The certificate that a client has shown, with its names as text that can be compared. */
import type { X509Certificate } from 'node:crypto'
import type { ClientCertificate } from '../security/authenticator.js'

/** Of the certificate itself in DER. Real ones have one or two thousand. */
const BYTES_MAX = 16_384
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/
/** An entry of `subjectAltName`: Node.js writes a value that could be mistaken for several as a JSON string. */
const ENTRY = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y
const NAME_KINDS: readonly string[] = ['DNS', 'email', 'URI']

/** @returns or why it is not accepted, to follow "its certificate" */
export function readPeerCertificate(certificate: X509Certificate, isAuthorized: boolean): ClientCertificate | string {
  if (certificate.raw.length > BYTES_MAX) return `has ${certificate.raw.length} bytes, more than ${BYTES_MAX}`
  const commonName = commonNameOf(certificate)
  const subjectAltNames = parseAltNames(certificate.subjectAltName ?? '')
  if (subjectAltNames === undefined) return 'has alternative names that cannot be read'
  if ([commonName ?? '', ...subjectAltNames].some((name) => CONTROL.test(name))) {
    return 'has a name with control characters'
  }
  const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase()
  return { commonName, subjectAltNames, fingerprint, authorized: isAuthorized }
}

/** undefined where there is none, or more than one: which one it is would be a guess. */
function commonNameOf(certificate: X509Certificate): string | undefined {
  // not the text `subject`, in which the parts of a name run together
  const { subject } = certificate.toLegacyObject() as { readonly subject?: { readonly CN?: unknown } }
  const name = subject?.CN
  return typeof name === 'string' && name !== '' ? name : undefined
}

/** Values of names, without addresses and kinds. @returns undefined for what is not as Node.js writes it */
export function parseAltNames(text: string): string[] | undefined {
  const names: string[] = []
  ENTRY.lastIndex = 0
  for (let at = 0; at < text.length; at = ENTRY.lastIndex) {
    const match = ENTRY.exec(text)
    if (match === null) return undefined
    if (!NAME_KINDS.includes(match[1])) continue
    const value = match[2].startsWith('"') ? unquoted(match[2]) : match[2]
    if (value === undefined || value === '') return undefined
    names.push(value)
  }
  return names
}

function unquoted(json: string): string | undefined {
  try {
    return JSON.parse(json) as string
  } catch {
    return undefined
  }
}
