import { type ClientContext, LoadClient } from './client.js'
import { BYSTANDER } from './connection-storm.js'
import type { Identity } from './identity.js'
import { Lanes } from './lanes.js'
import { forEachLimited } from './limiter.js'
import { nowMicros } from './payload.js'
import type { Random } from './random.js'

export interface SubscriptionChurn {
  readonly lanes: Lanes
  open(): Promise<void>
  close(): void
}

const CONNECTING_MAX = 64
const FILTERS_MAX = 5

/**
 * Clients that subscribe and unsubscribe all the time, to filters beside and above the topics of the traffic. What is
 * timed is the way from SUBSCRIBE to SUBACK.
 * @param prefix of the topics of the traffic
 */
export function subscriptionChurn(
  context: ClientContext,
  identity: Identity,
  clients: number,
  ratePerSecond: number,
  random: Random,
  prefix: string,
): SubscriptionChurn {
  const churners = Array.from(
    { length: clients },
    (_, index) => new LoadClient({ ...identity, clientId: `${identity.clientId}${index}` }, context, BYSTANDER),
  )
  const lanes = new Lanes('subscriptions', clients, ratePerSecond, async (lane, record) => {
    const filters = Array.from({ length: 1 + random.integer(FILTERS_MAX) }, () => randomFilter(prefix, random))
    const started = nowMicros()
    await churners[lane].subscribe(filters, 0)
    record((nowMicros() - started) >>> 0)
    await churners[lane].unsubscribe(filters)
  })
  return {
    lanes,
    open: () => forEachLimited(clients, CONNECTING_MAX, async (index) => void (await churners[index].open())),
    close: () => {
      for (const client of churners) client.disconnect()
    },
  }
}

/** One shape in five is the topic of a publisher: the receivers of live topics change too, and caches must follow. */
function randomFilter(prefix: string, random: Random): string {
  const number = random.integer(1_000)
  const shapes = [
    `${prefix}/${number % 10}`,
    `${prefix}/${number}/state`,
    `${prefix}/+/${number}`,
    `${prefix}/${number}/+/#`,
    `+/+/${prefix}/#`,
  ]
  return shapes[random.integer(shapes.length)]
}
