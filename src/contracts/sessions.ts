/** What a shard tells of its sessions, for people. */

/** Entries a shard lists at most: those whose connection came or went last. */
export const SESSIONS_LISTED_MAX = 200

export interface SessionSummary {
  readonly clientId: string
  /** undefined for anonymous clients. */
  readonly userName: string | undefined
  /** Of the connection, or of the last one: IP address, or the path of a Unix socket. */
  readonly address: string
  readonly port: number
  /** 3 for MQTT 3.1, 4 for MQTT 3.1.1, 5 for MQTT 5. */
  readonly protocolVersion: number
  /** It says that it is a bridge of another broker; bridges that speak MQTT 5 do not. */
  readonly isBridge: boolean
  readonly isConnected: boolean
  /** Milliseconds since 1970 when the connection came or went; undefined when that was before this start. */
  readonly sinceMs: number | undefined
  readonly keepAliveSeconds: number
  /** 0 ends the session with its connection, 4294967295 never. */
  readonly expirySeconds: number
  readonly subscriptions: number
  readonly queuedMessages: number
  readonly inflightMessages: number
}
