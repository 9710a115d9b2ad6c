/** How a broker turns down a topic filter that breaks the rules of §4.7 or §4.8.2. */
import type { TestBroker } from './broker.js'
import { subscribePacket, unsubscribePacket } from './client-packets.js'

const FILTER_INVALID = 0x8f

/**
 * Refusing the one filter (SUBACK) and refusing the packet (DISCONNECT) both keep the rule; that nothing is subscribed to
 * is what counts. UNSUBSCRIBE may also be told that there is no such subscription.
 */
export async function expectFilterRefused(broker: TestBroker, filter: string): Promise<void> {
  const subscriber = await broker.connect()
  subscriber.send(subscribePacket(1, [[filter]]))
  const suback = await subscriber.takePacket('suback', 1).catch(() => undefined)
  if (suback === undefined) await subscriber.expectDisconnect(0x81, 0x82, FILTER_INVALID)
  else checkReason('SUBACK', suback.reasonCodes, [FILTER_INVALID])

  const unsubscriber = await broker.connect()
  unsubscriber.send(unsubscribePacket(1, [filter]))
  const unsuback = await unsubscriber.takePacket('unsuback', 1).catch(() => undefined)
  if (unsuback === undefined) await unsubscriber.expectDisconnect(0x81, 0x82, FILTER_INVALID)
  else checkReason('UNSUBACK', unsuback.reasonCodes, [FILTER_INVALID, 0x11])
}

function checkReason(what: string, [code = 0]: readonly number[], expected: readonly number[]): void {
  if (!expected.includes(code)) throw new Error(`${what} has the reason code 0x${code.toString(16)}`)
}
