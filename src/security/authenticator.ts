/**
 * Who may connect. The connection thread asks before a session hears of the client; mechanisms of enhanced
 * authentication (§4.12) are looked up by the name in CONNECT.
 */
import type { Connect } from '../mqtt/packets.js'
import type { ReasonCode } from '../mqtt/reason-codes.js'

export interface Peer {
  /** IP address, or the path of a Unix socket. */
  readonly address: string
  readonly listener: string
}

export type Admission =
  | { readonly kind: 'admitted'; readonly userName: string | undefined; readonly data?: Uint8Array }
  | { readonly kind: 'refused'; readonly reasonCode: ReasonCode; readonly reason: string }

export type ExchangeStep = Admission | { readonly kind: 'continue'; readonly data: Uint8Array | undefined }

/** One run of a mechanism with one client: each step takes what the client has sent. */
export interface Exchange {
  step(data: Uint8Array | undefined): Promise<ExchangeStep>
}

export interface Authenticator {
  /** Decides on CONNECT without an authentication method. */
  admit(connect: Connect, peer: Peer): Promise<Admission> | Admission
  /** @returns undefined where the method is not supported: the client gets 0x8C [MQTT-4.12.0-1] */
  begin(method: string, connect: Connect, peer: Peer): Exchange | undefined
}

/** Admits everybody; the user name is what the client says. */
export const anonymousAuthenticator: Authenticator = {
  admit: (connect) => ({ kind: 'admitted', userName: connect.userName }),
  begin: () => undefined,
}
