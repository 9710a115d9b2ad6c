/**
 * Bans, as they cross threads. The main thread decides and keeps them; connection threads refuse who is banned, and tell
 * the main thread what bans may follow from.
 */

export const BAN_KINDS = ['address', 'client', 'user'] as const
export type BanKind = (typeof BAN_KINDS)[number]

export interface BanRef {
  readonly kind: BanKind
  /** An address, or a network as `192.0.2.0/24`, as `rangeText` writes them; a client identifier; a user name. Never a pattern. */
  readonly what: string
  /**
   * Of a client that the broker has found to be flapping: with other user names its identifier is not banned, or anybody
   * could ban the clients of others. null for one without a user name; left out where user names do not matter.
   */
  readonly userName?: string | null
}

export interface Ban extends BanRef {
  readonly reason: string
  /** Milliseconds since 1970. */
  readonly sinceMs: number
  /** Milliseconds since 1970; undefined for one that does not end by itself. */
  readonly untilMs: number | undefined
  /** Set by a command: connections that are open are closed too. Otherwise found by the broker. */
  readonly isManual: boolean
}

/** What tells bans apart. */
export function banKey({ kind, what, userName }: BanRef): string {
  return userName === undefined ? `${kind}/${what}` : `${kind}/${JSON.stringify([userName, what])}`
}

/** A change of who is banned. */
export interface BansChange {
  /** In place of those of the same kind and name; in place of all where `isWhole`. */
  readonly bans: readonly Ban[]
  readonly lifted: readonly BanRef[]
  readonly isWhole: boolean
}

/** What a connection thread has seen since its last report. */
export interface BanReport {
  /** Failed logins by `addressGroup`. */
  readonly failures: readonly (readonly [address: string, count: number])[]
  /** Connections by client identifier and user name, where flapping is looked for. */
  readonly connects: readonly BanReportConnect[]
}

export interface BanReportConnect {
  readonly clientId: string
  /** null for clients without one. */
  readonly userName: string | null
  readonly count: number
}

/** What the name of a ban takes at most, so that it fits into a key of the store. */
export const BAN_NAME_BYTES_MAX = 1_024
