/** What waits for a session, and what it has been sent and has not acknowledged, is made of deliveries. */
import type { LogRecord } from '../contracts/storage.js'
import type { Qos } from '../mqtt/packets.js'
import type { Message } from './message.js'
import type { SharedGroup } from './shared-group.js'

/** One message on its way to one session. */
export class Delivery {
  /** The connection it was last sent on; a later one must send it again. */
  sentOn = 0
  /** Order of first sending, so that resending keeps it [MQTT-4.6.0-1]. */
  order = 0
  /** It may have been sent before the broker was started: DUP [MQTT-3.3.1-1]. */
  mayBeRepeat = false
  /** Where the log has it, and which of the sessions there this is; undefined where nothing outlives the shard. */
  record: LogRecord | undefined = undefined
  place = 0
  constructor(
    readonly message: Message,
    /** Granted and published, the smaller. */
    readonly qos: Qos,
    readonly retain: boolean,
    /** Encoded subscription identifiers; undefined for none. */
    readonly identifiers: Uint8Array | undefined,
    /** The shared subscription it was picked for: another member may take over. */
    readonly group: SharedGroup | undefined,
  ) {}
}

/** First in, first out; bounded by its owner. A growing circle, because an array's `shift` copies. */
export class DeliveryQueue {
  #items: (Delivery | undefined)[] = []
  #head = 0
  #length = 0
  #bytes = 0
  #qos0 = 0

  get length(): number {
    return this.#length
  }
  /** Bytes of the messages in it, each counted in full although shared. */
  get bytes(): number {
    return this.#bytes
  }
  get qos0Length(): number {
    return this.#qos0
  }

  push(delivery: Delivery): void {
    if (this.#length === this.#items.length) this.#grow()
    this.#items[(this.#head + this.#length) & (this.#items.length - 1)] = delivery
    this.#length++
    this.#bytes += delivery.message.sizeBytes
    if (delivery.qos === 0) this.#qos0++
  }

  peek(): Delivery | undefined {
    return this.#length === 0 ? undefined : this.#items[this.#head]
  }

  shift(): Delivery | undefined {
    if (this.#length === 0) return undefined
    const delivery = this.#items[this.#head] as Delivery
    this.#items[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#items.length - 1)
    this.#length--
    this.#bytes -= delivery.message.sizeBytes
    if (delivery.qos === 0) this.#qos0--
    if (this.#length === 0 && this.#items.length > 64) this.#items = []
    return delivery
  }

  /** Takes out the deliveries that `leaves` is true for, keeping the order of the others. @returns those taken out */
  remove(leaves: (delivery: Delivery) => boolean): Delivery[] {
    const removed: Delivery[] = []
    for (let left = this.#length; left > 0; left--) {
      const delivery = this.shift() as Delivery
      if (leaves(delivery)) removed.push(delivery)
      else this.push(delivery)
    }
    return removed
  }

  clear(): void {
    this.#items = []
    this.#head = 0
    this.#length = 0
    this.#bytes = 0
    this.#qos0 = 0
  }

  #grow(): void {
    const items = new Array<Delivery | undefined>(Math.max(8, this.#items.length * 2))
    for (let i = 0; i < this.#length; i++) items[i] = this.#items[(this.#head + i) & (this.#items.length - 1)]
    this.#items = items
    this.#head = 0
  }
}
