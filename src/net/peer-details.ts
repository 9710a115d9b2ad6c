/** What is known of the far side of a network connection before it says anything. */
import { isIP } from 'node:net'
import { canonicalAddress, isLocalAddress } from '../base/address.js'
import type { Listener } from '../config/schema.js'
import type { ClientCertificate, Peer } from '../security/authenticator.js'
import type { ProxyTls } from './proxy-fields.js'
import type { ProxyHeader } from './proxy-header.js'

export interface PeerDetails extends Peer {
  /** undefined where the client came without TLS. */
  readonly tls: TlsDetails | undefined
}

export interface TlsDetails {
  /** `TLSv1.3`; undefined where a proxy does not tell. */
  readonly version: string | undefined
  readonly cipher: string | undefined
  /** The name of the server that the client asked for. */
  readonly serverName: string | undefined
  /** The session of an earlier connection went on. */
  readonly isResumed: boolean
}

/** Where a connection comes from: what its proxy says, else its socket. */
export interface Source {
  /** IP address, or the path of a Unix socket. */
  readonly address: string
  /** 0 where there is none. */
  readonly port: number
  /** undefined where no proxy is in between. */
  readonly proxy: ProxyHeader | undefined
}

/** @param address of the socket; undefined once it is closed */
export function sourceOf(
  listener: Listener,
  address: string | undefined,
  port: number | undefined,
  proxy?: ProxyHeader,
): Source {
  if (listener.type === 'unix') return { address: listener.path, port: 0, proxy }
  const socket = { address: canonicalAddress(address ?? ''), port: port ?? 0 }
  return { ...(proxy?.source ?? socket), proxy }
}

export function peerDetails(
  listener: Listener,
  source: Source,
  tls: TlsDetails | undefined,
  certificate: ClientCertificate | undefined,
): PeerDetails {
  const { address, port, proxy } = source
  return {
    address,
    port,
    listener: listener.type,
    isLocal: proxy === undefined && (listener.type === 'unix' || (isIP(address) !== 0 && isLocalAddress(address))),
    anonymous: listener.anonymous,
    anonymousUser: listener.anonymousUser,
    certificateUser: listener.certificateUser,
    certificate,
    tls,
  }
}

/** TLS that a proxy has ended. */
export function proxiedTls({ tls, authority }: ProxyHeader): TlsDetails | undefined {
  if (tls === undefined) return undefined
  return { version: tls.version, cipher: tls.cipher, serverName: authority, isResumed: false }
}

/** A proxy tells no more of a certificate than its common name. */
export function proxiedCertificate(tls: ProxyTls | undefined): ClientCertificate | undefined {
  if (tls?.hasCertificate !== true) return undefined
  return { commonName: tls.commonName, subjectAltNames: [], fingerprint: '', authorized: tls.isVerified }
}
