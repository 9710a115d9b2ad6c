import { encodeConnect, PLAIN_CONNECT } from '../../src/mqtt/client-codec.js'
import { NEVER_EXPIRES } from '../../src/mqtt/packets.js'

export type LoadVersion = 4 | 5

/** Who a client is and how its session behaves. */
export interface Identity {
  readonly clientId: string
  readonly version: LoadVersion
  /** The session outlives the connection. */
  readonly isPersistent: boolean
  readonly keepAliveSeconds: number
  readonly userName: string | undefined
  readonly password: string | undefined
}

/** Long enough for any pause of a run, short enough that a killed run leaves nothing behind for good. */
const SESSION_EXPIRY_SECONDS = 86_400

/** @param cleanStart ends an earlier session of this client */
export function connectPacket(identity: Identity, cleanStart: boolean): Uint8Array {
  const { clientId, version, isPersistent, keepAliveSeconds, userName, password } = identity
  const before5 = cleanStart ? 0 : NEVER_EXPIRES
  return encodeConnect({
    ...PLAIN_CONNECT,
    clientId,
    version,
    cleanStart,
    keepAliveSeconds,
    userName,
    password: password === undefined ? undefined : Buffer.from(password),
    sessionExpirySeconds: version === 4 ? before5 : isPersistent ? SESSION_EXPIRY_SECONDS : 0,
  })
}
