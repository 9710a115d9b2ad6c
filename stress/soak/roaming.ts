import { Lanes } from '../load/lanes.js'
import { nowMicros } from '../load/payload.js'
import type { Random } from '../load/random.js'
import type { Subscriber } from '../load/subscriber.js'

const AWAY_MS_MAX = 500

/**
 * Subscribers with lasting sessions that leave, half of them without DISCONNECT, and come back a little later. Nothing may
 * be lost meanwhile, and the broker must remember them. What is timed is the way back, until CONNACK.
 */
export function roaming(subscribers: readonly Subscriber[], ratePerSecond: number, random: Random): Lanes {
  return new Lanes('reconnections', subscribers.length, ratePerSecond, async (lane, record) => {
    const { client } = subscribers[lane]
    if (random.next() < 0.5) client.disconnect()
    else client.destroy()
    await new Promise((resolve) => setTimeout(resolve, random.integer(AWAY_MS_MAX)))
    const started = nowMicros()
    const welcome = await client.open()
    record((nowMicros() - started) >>> 0)
    if (!welcome.sessionPresent) throw new Error(`${client.identity.clientId}: the broker forgot the session`)
  })
}
