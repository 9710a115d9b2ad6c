/** QoS 1 and QoS 2 messages sent to one session and not yet acknowledged, by packet identifier. */
import type { Delivery } from './delivery-queue.js'

/** Where the handshake of a packet identifier stands. */
export const InflightState = { FREE: 0, AWAITING_PUBACK: 1, AWAITING_PUBREC: 2, AWAITING_PUBCOMP: 3 } as const
export type InflightState = (typeof InflightState)[keyof typeof InflightState]

const PACKET_IDS_MAX = 65_535

/** Shared by all that have nothing: most sessions never have. */
const NO_STATES = new Uint8Array(0)
const NO_PACKET_IDS = new Uint16Array(0)

/**
 * Packet identifiers are given out in turn, and a place is found by the low bits of the identifier, so neither giving
 * nor freeing one searches. Sessions that end with their connection keep no deliveries here: they never resend.
 */
export class Inflight {
  #states = NO_STATES
  #packetIds = NO_PACKET_IDS
  #deliveries: (Delivery | undefined)[] = []
  #count = 0
  #next = 1

  get size(): number {
    return this.#count
  }

  /** All packet identifiers are in use. Those that wait for PUBCOMP outlive connections and take no quota of new ones. */
  get isFull(): boolean {
    return this.#count === PACKET_IDS_MAX
  }

  /** Takes an unused packet identifier [MQTT-2.2.1-4]: there must be one. */
  reserve(state: InflightState, delivery: Delivery | undefined): number {
    if ((this.#count + 1) * 2 > this.#states.length && this.#states.length < 65_536) this.#grow()
    const mask = this.#states.length - 1
    let packetId = this.#next
    while (packetId === 0 || this.#states[packetId & mask] !== InflightState.FREE) packetId = (packetId + 1) & 0xffff
    const place = packetId & mask
    this.#states[place] = state
    this.#packetIds[place] = packetId
    if (delivery !== undefined) this.#deliveries[place] = delivery
    this.#count++
    this.#next = (packetId + 1) & 0xffff
    return packetId
  }

  /** Takes a packet identifier that was in use before the broker was started. @returns false if it is in use again */
  restore(packetId: number, state: InflightState, delivery: Delivery): boolean {
    while (this.#states.length < 65_536 && this.#isTaken(packetId)) this.#grow()
    if ((this.#count + 1) * 2 > this.#states.length && this.#states.length < 65_536) this.#grow()
    if (this.#isTaken(packetId)) return false
    const place = packetId & (this.#states.length - 1)
    this.#states[place] = state
    this.#packetIds[place] = packetId
    this.#deliveries[place] = delivery
    this.#count++
    this.#next = (packetId + 1) & 0xffff
    return true
  }

  /** The place of the identifier is taken, by itself or another. */
  #isTaken(packetId: number): boolean {
    return this.#states.length > 0 && this.#states[packetId & (this.#states.length - 1)] !== InflightState.FREE
  }

  stateOf(packetId: number): InflightState {
    const place = packetId & (this.#states.length - 1)
    if (this.#states.length === 0 || this.#packetIds[place] !== packetId) return InflightState.FREE
    return this.#states[place] as InflightState
  }

  deliveryOf(packetId: number): Delivery | undefined {
    return this.#deliveries[packetId & (this.#states.length - 1)]
  }

  /** Moves a QoS 2 message on after PUBREC: from now on PUBREL is what is repeated [MQTT-4.3.3-6]. */
  awaitPubcomp(packetId: number): void {
    this.#states[packetId & (this.#states.length - 1)] = InflightState.AWAITING_PUBCOMP
  }

  /** Frees the identifier, which must be in use. @returns what was sent with it, if it was kept */
  release(packetId: number): Delivery | undefined {
    const place = packetId & (this.#states.length - 1)
    const delivery = this.#deliveries[place]
    this.#states[place] = InflightState.FREE
    if (delivery !== undefined) this.#deliveries[place] = undefined
    this.#count--
    return delivery
  }

  /** Identifiers in use, in the order in which their messages were first sent. */
  inOrder(): number[] {
    const packetIds: number[] = []
    for (let place = 0; place < this.#states.length; place++) {
      if (this.#states[place] !== InflightState.FREE) packetIds.push(this.#packetIds[place])
    }
    return packetIds.sort((a, b) => (this.deliveryOf(a)?.order ?? 0) - (this.deliveryOf(b)?.order ?? 0))
  }

  #grow(): void {
    const capacity = Math.max(8, this.#states.length * 2)
    const [states, packetIds, deliveries] = [this.#states, this.#packetIds, this.#deliveries]
    this.#states = new Uint8Array(capacity)
    this.#packetIds = new Uint16Array(capacity)
    this.#deliveries = []
    for (let old = 0; old < states.length; old++) {
      if (states[old] === InflightState.FREE) continue
      const place = packetIds[old] & (capacity - 1)
      this.#states[place] = states[old]
      this.#packetIds[place] = packetIds[old]
      if (deliveries[old] !== undefined) this.#deliveries[place] = deliveries[old]
    }
  }
}
