/** Who is banned, as a connection thread asks at each connection. What it knows comes from the main thread. */
import { canonicalAddress, firstOf, isLocalAddress, parseAddressRange } from '../base/address.js'
import { type Ban, type BanRef, type BansChange, banKey } from '../contracts/bans.js'

/** By prefix, then by first address. */
type Networks = Map<number, Map<bigint, Ban>>

export class Bans {
  /** Of clients and users, by `banKey`. */
  readonly #named = new Map<string, Ban>()
  readonly #networks: Readonly<Record<4 | 6, Networks>> = { 4: new Map(), 6: new Map() }

  /** @param bansLocal whether addresses of this machine are banned like all others (`limits.ban.local`) */
  constructor(readonly bansLocal: () => boolean) {}

  change({ bans, lifted, isWhole }: BansChange): void {
    if (isWhole) {
      this.#named.clear()
      for (const networks of Object.values(this.#networks)) networks.clear()
    }
    for (const ban of lifted) this.#lift(ban)
    for (const ban of bans) this.#set(ban)
  }

  /** @param address of the peer @returns the ban that keeps it out now */
  ofAddress(address: string, nowMs: number): Ban | undefined {
    if (this.#networks[4].size + this.#networks[6].size === 0) return undefined
    const canonical = canonicalAddress(address)
    if (isLocalAddress(canonical) && !this.bansLocal()) return undefined
    const range = parseAddressRange(canonical)
    if (range === undefined) return undefined // a Unix socket
    const { version, value } = range
    for (const [prefix, bans] of this.#networks[version]) {
      const ban = bans.get(firstOf(version, value, prefix))
      if (ban !== undefined && isInForce(ban, nowMs)) return ban
    }
    return undefined
  }

  /** @param userName undefined for anonymous clients @returns the ban that keeps the client out now */
  ofClient(clientId: string, userName: string | undefined, nowMs: number): Ban | undefined {
    if (this.#named.size === 0) return undefined
    const client = { kind: 'client', what: clientId } as const
    const refs: BanRef[] = [client, { ...client, userName: userName ?? null }]
    if (userName !== undefined) refs.push({ kind: 'user', what: userName })
    for (const ref of refs) {
      const ban = this.#named.get(banKey(ref))
      if (ban !== undefined && isInForce(ban, nowMs)) return ban
    }
    return undefined
  }

  /** The ban that ends a connection which is open: only those that somebody has set do. */
  ofOpen(address: string, clientId: string, userName: string | undefined, nowMs: number): Ban | undefined {
    const bans = [this.ofClient(clientId, userName, nowMs), this.ofAddress(address, nowMs)]
    return bans.find((ban) => ban?.isManual === true)
  }

  #set(ban: Ban): void {
    if (ban.kind !== 'address') {
      this.#named.set(banKey(ban), ban)
      return
    }
    const range = parseAddressRange(ban.what)
    if (range === undefined) return
    const networks = this.#networks[range.version]
    const bans = networks.get(range.prefix) ?? new Map<bigint, Ban>()
    networks.set(range.prefix, bans.set(range.value, ban))
  }

  #lift(ban: BanRef): void {
    if (ban.kind !== 'address') {
      this.#named.delete(banKey(ban))
      return
    }
    const range = parseAddressRange(ban.what)
    if (range === undefined) return
    const networks = this.#networks[range.version]
    const bans = networks.get(range.prefix)
    bans?.delete(range.value)
    if (bans?.size === 0) networks.delete(range.prefix)
  }
}

function isInForce({ untilMs }: Ban, nowMs: number): boolean {
  return untilMs === undefined || nowMs < untilMs
}
