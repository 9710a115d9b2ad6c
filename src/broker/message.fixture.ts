/** Messages and deliveries for tests of what keeps them. */
import type { Qos } from '../mqtt/packets.js'
import { encodePublishProperties } from '../mqtt/publish-properties.js'
import { Delivery } from './delivery-queue.js'
import { createMessage, type Message } from './message.js'
import type { SharedGroup } from './shared-group.js'

export interface MessageOptions {
  readonly topic?: string
  readonly qos?: Qos
  readonly retain?: boolean
  /** Milliseconds since the epoch at which it was published with `expirySeconds`. */
  readonly nowMs?: number
  readonly expirySeconds?: number
}

export function messageWith(payload: string, options: MessageOptions = {}): Message {
  const { topic = 'a/b', qos = 1, retain = false, nowMs = 0, expirySeconds } = options
  return createMessage({
    topic,
    payload: Buffer.from(payload),
    properties: encodePublishProperties({ expirySeconds, contentType: 'text' }),
    qos,
    retain,
    expiresAtMs: expirySeconds === undefined ? Number.POSITIVE_INFINITY : nowMs + expirySeconds * 1_000,
  })
}

export function deliveryWith(payload: string, qos: Qos = 1, group?: SharedGroup): Delivery {
  return new Delivery(messageWith(payload), qos, false, undefined, group)
}

export function payloadOf({ bytes, payloadStart, payloadBytes }: Message): string {
  return Buffer.from(bytes).toString('utf8', payloadStart, payloadStart + payloadBytes)
}
