import { type ClientContext, type ClientRole, LoadClient } from './client.js'
import type { Identity } from './identity.js'
import { Lanes } from './lanes.js'
import { nowMicros } from './payload.js'
import type { Random } from './random.js'

/** A client whose messages and fate do not matter. */
export const BYSTANDER: ClientRole = { onPublish() {}, onAck() {}, onFlushed() {}, onLost() {} }

/**
 * Connections that come and go: each is made, every other one subscribes, and half of them leave without DISCONNECT. What
 * is timed is the way from opening the socket to CONNACK.
 */
export function connectionStorm(
  context: ClientContext,
  identity: Identity,
  lanes: number,
  ratePerSecond: number,
  random: Random,
): Lanes {
  let made = 0
  return new Lanes('connections', lanes, ratePerSecond, async (_lane, record) => {
    const clientId = `${identity.clientId}${made++}`
    const client = new LoadClient({ ...identity, clientId }, context, BYSTANDER)
    const started = nowMicros()
    await client.open()
    record((nowMicros() - started) >>> 0)
    if (random.next() < 0.5) await client.subscribe([`${identity.clientId}/${random.integer(1_000)}/#`], 0)
    if (random.next() < 0.5) client.disconnect()
    else client.destroy()
  })
}
