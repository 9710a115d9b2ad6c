/** The user that a client certificate names. */
import type { Peer } from './authenticator.js'
import { ROOT, userNameProblem } from './user-name.js'

export type CertificateName =
  /** The listener takes no names from certificates, or the client has shown none. */
  | { readonly kind: 'none' }
  | { readonly kind: 'user'; readonly userName: string }
  | { readonly kind: 'refused'; readonly reason: string }

const NONE: CertificateName = { kind: 'none' }
const TITLES = { commonName: 'common name', subjectAltName: 'alternative name', fingerprint: 'fingerprint' } as const

export function certificateName({ certificateUser, certificate }: Peer): CertificateName {
  if (certificateUser === 'none' || certificate === undefined) return NONE
  if (!certificate.authorized) return { kind: 'refused', reason: 'the client certificate is not trusted' }
  const { commonName, subjectAltNames, fingerprint } = certificate
  const names = { commonName, subjectAltName: subjectAltNames.at(0), fingerprint }
  const userName = names[certificateUser] ?? ''
  const problem = userNameProblem(userName)
  if (problem !== undefined) {
    const reason = `the ${TITLES[certificateUser]} of the client certificate is no user name: it ${problem}`
    return { kind: 'refused', reason }
  }
  if (userName === ROOT) return { kind: 'refused', reason: `a certificate cannot make its owner ${ROOT}` }
  return { kind: 'user', userName }
}
