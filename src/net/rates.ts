/**
 * How fast clients may send, by connection, user and address. Whoever is faster is read more slowly: what was read counts
 * against an allowance that grows with time, and what is owed is waited for. Users and addresses have one allowance over
 * all connection threads (base/shared-rates.ts): dividing it among the threads would give a user less than it may have
 * as soon as its connections are not spread evenly.
 */
import { addressGroup } from '../base/address.js'
import { BrokerError } from '../base/errors.js'
import type { SharedRates } from '../base/shared-rates.js'
import type { BrokerConfig } from '../config/schema.js'

/** So much may come at once, as the time in which it is earned. */
const BURST_MS = 1_000
/** Taken in one go from a connection with a limit: what may be sent in this time. */
const TURN_MS = 50
/** A client that sends nothing for so long after it was waited for has paused. */
const PAUSE_MS = 1_000

type Limits = BrokerConfig['limits']

/** What one network connection has used up, and where its user and its address have theirs. */
export class ConnectionRate {
  /** When all that was received has been earned, in milliseconds since the epoch. */
  messagesMs = 0
  bytesMs = 0
  /** It is not read until then. */
  isHeld = false
  heldUntilMs = 0
  /** Since when it has been slowed down without a pause; undefined if it is not. */
  overloadSinceMs: number | undefined = undefined
  /** Hashes of what is shared; 0 for none. */
  userMessages = 0
  userBytes = 0
  addressMessages = 0
  addressBytes = 0
}

export class RateLimits {
  /** False where nothing is limited: then nothing of this need be called. */
  isOn = false
  /** Packets to take at once from a connection: a read may hold thousands. */
  packetsMax = 1

  constructor(
    readonly limits: Limits,
    readonly shared: SharedRates,
  ) {
    this.refresh()
  }

  /** `limits` may have changed. */
  refresh(): void {
    const { perConnection, perUser, perAddress } = this.limits
    const all = [perConnection, perUser, perAddress]
    this.isOn = all.some(({ messagesPerSecondMax, bytesPerSecondMax }) => messagesPerSecondMax + bytesPerSecondMax > 0)
    const messages = all.map(({ messagesPerSecondMax }) => messagesPerSecondMax).filter((limit) => limit > 0)
    this.packetsMax = Math.max(1, Math.ceil((Math.min(...messages) * TURN_MS) / 1_000))
  }

  /** For a connection that was accepted. */
  open(address: string): ConnectionRate {
    const rate = new ConnectionRate()
    const group = addressGroup(address)
    rate.addressMessages = this.shared.hashOf(`address messages ${group}`)
    rate.addressBytes = this.shared.hashOf(`address bytes ${group}`)
    return rate
  }

  /** Its client was admitted. Anonymous clients have no user to share with. */
  identify(rate: ConnectionRate, userName: string | undefined): void {
    if (userName === undefined) return
    rate.userMessages = this.shared.hashOf(`user messages ${userName}`)
    rate.userBytes = this.shared.hashOf(`user bytes ${userName}`)
  }

  /**
   * Counts what has come.
   * @returns milliseconds to wait before the connection is read on; 0 for none
   * @throws BrokerError MESSAGE_RATE_TOO_HIGH when it has been slowed down for too long
   */
  charge(rate: ConnectionRate, messages: number, bytes: number, nowMs: number): number {
    const owedMs = this.#owed(rate, messages, bytes, nowMs)
    if (owedMs <= BURST_MS) {
      // not at the first moment without a wait: waits end late, so there is always one
      if (owedMs <= BURST_MS / 2) rate.overloadSinceMs = undefined
      return 0
    }
    const { overloadSecondsMax } = this.limits.perConnection
    if (rate.overloadSinceMs === undefined || nowMs - rate.heldUntilMs >= PAUSE_MS) rate.overloadSinceMs = nowMs
    else if (nowMs - rate.overloadSinceMs >= overloadSecondsMax * 1_000) {
      throw new BrokerError('MESSAGE_RATE_TOO_HIGH', { seconds: overloadSecondsMax })
    }
    const waitMs = owedMs - BURST_MS
    rate.heldUntilMs = nowMs + waitMs
    return waitMs
  }

  /** Counts what has come while the connection was not read. @returns milliseconds to wait before it is */
  add(rate: ConnectionRate, messages: number, bytes: number, nowMs: number): number {
    return Math.max(0, this.#owed(rate, messages, bytes, nowMs) - BURST_MS)
  }

  /** @returns the time in which what is owed most is earned */
  #owed(rate: ConnectionRate, messages: number, bytes: number, nowMs: number): number {
    const { perConnection, perUser, perAddress } = this.limits
    let owedMs = 0
    if (perConnection.messagesPerSecondMax > 0) {
      rate.messagesMs = Math.max(rate.messagesMs, nowMs) + earnedIn(messages, perConnection.messagesPerSecondMax)
      owedMs = rate.messagesMs - nowMs
    }
    if (perConnection.bytesPerSecondMax > 0) {
      rate.bytesMs = Math.max(rate.bytesMs, nowMs) + earnedIn(bytes, perConnection.bytesPerSecondMax)
      owedMs = Math.max(owedMs, rate.bytesMs - nowMs)
    }
    const share = (hash: number, amount: number, perSecondMax: number): void => {
      if (hash === 0 || perSecondMax === 0) return
      owedMs = Math.max(owedMs, this.shared.charge(hash, earnedIn(amount, perSecondMax), nowMs))
    }
    share(rate.userMessages, messages, perUser.messagesPerSecondMax)
    share(rate.userBytes, bytes, perUser.bytesPerSecondMax)
    share(rate.addressMessages, messages, perAddress.messagesPerSecondMax)
    share(rate.addressBytes, bytes, perAddress.bytesPerSecondMax)
    return owedMs
  }
}

/** Milliseconds. */
function earnedIn(amount: number, perSecondMax: number): number {
  return (amount * 1_000) / perSecondMax
}
