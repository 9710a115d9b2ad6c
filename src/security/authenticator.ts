/**
 * Who may connect. The connection thread asks before a session hears of the client; mechanisms of enhanced
 * authentication (§4.12) are looked up by the name in CONNECT.
 */
import type { Identity, TokenClaims } from '../contracts/security.js'
import type { Connect } from '../mqtt/packets.js'
import { ReasonCode } from '../mqtt/reason-codes.js'

/** Where a network connection comes from, and what its listener is set to. */
export interface Peer {
  /** IP address, or the path of a Unix socket. */
  readonly address: string
  /** 0 where there is none. */
  readonly port: number
  /** `tcp`, `tls`, `ws`, `wss` or `unix`. */
  readonly listener: string
  /** On this machine: a loopback address or a Unix socket, and by no proxy that tells of itself. */
  readonly isLocal: boolean
  /** Whether clients without a user name are admitted. */
  readonly anonymous: 'local' | 'allow' | 'deny'
  /** Who clients without a user name are; undefined for nobody. */
  readonly anonymousUser: string | undefined
  /** What of the certificate is the user name. */
  readonly certificateUser: 'none' | 'commonName' | 'subjectAltName' | 'fingerprint'
  /** undefined where the client has shown none. */
  readonly certificate: ClientCertificate | undefined
}

export interface ClientCertificate {
  readonly commonName: string | undefined
  /** Values without their kinds (`boiler-7`, `a@example.org`, `urn:boiler:7`), in the order of the certificate. */
  readonly subjectAltNames: readonly string[]
  /** SHA-256 of the certificate in lower-case hex. */
  readonly fingerprint: string
  /** Signed by an authority of the listener, valid today and not revoked. */
  readonly authorized: boolean
}

export type Admission =
  | {
      readonly kind: 'admitted'
      /** undefined for anonymous clients. */
      readonly userName: string | undefined
      /** Of a token; left out where there is none. */
      readonly claims?: TokenClaims
      /** For CONNACK, or for the last AUTH. */
      readonly data?: Uint8Array
    }
  | { readonly kind: 'refused'; readonly reasonCode: ReasonCode; readonly reason: string }

export type ExchangeStep = Admission | { readonly kind: 'continue'; readonly data: Uint8Array | undefined }

/** One run of a mechanism with one client: each step takes what the client has sent. */
export interface Exchange {
  step(data: Uint8Array | undefined): Promise<ExchangeStep>
}

export interface Authenticator {
  /**
   * Decides on CONNECT without an authentication method.
   * @param isAwaited false once the client has gone: nothing costly need be begun for it. It is there unless told
   */
  admit(connect: Connect, peer: Peer, isAwaited?: () => boolean): Promise<Admission> | Admission
  /**
   * @param current who the client is already, where it authenticates again (§4.12.1): it cannot become another
   * @returns undefined where the method is not supported: the client gets 0x8C [MQTT-4.12.0-1]
   */
  begin(method: string, connect: Connect, peer: Peer, current?: Pick<Identity, 'userName'>): Exchange | undefined
}

/** All ways to log in answer alike where name or password is wrong. */
export const WRONG = {
  kind: 'refused',
  reasonCode: ReasonCode.BAD_USER_NAME_OR_PASSWORD,
  reason: 'bad user name or password',
} as const satisfies Admission

export function refused(reason: string): Admission {
  return { kind: 'refused', reasonCode: ReasonCode.NOT_AUTHORIZED, reason }
}
