/** Two well-behaved clients that go on exchanging messages while others attack the broker. */
import { setTimeout as wait } from 'node:timers/promises'
import { subscribePacket } from '../support/client-packets.js'
import { RawClient, type Surroundings } from '../support/raw-client.js'
import type { Target } from '../support/transport.js'

/** Nothing but this process moves the broker, so there is nothing to wait for. */
export const ALONE: Surroundings = { settle: async () => {}, passTime: async () => {}, strict: true }
const TOPIC = 'bystanders/of the fuzzer'
/** Milliseconds that a broker under attack may need for a connection to be counted no longer. */
const COUNT_MS = 30_000
const BETWEEN_COUNTS_MS = 200

export class Bystanders {
  private count = 0

  private constructor(
    private readonly publisher: RawClient,
    private readonly subscriber: RawClient,
  ) {}

  static async meet(target: Target): Promise<Bystanders> {
    const publisher = await RawClient.open(target, ALONE)
    const subscriber = await RawClient.open(target, ALONE)
    await publisher.connect({ clientId: 'bystander1' })
    await subscriber.connect({ clientId: 'bystander2' })
    await subscriber.subscribe(TOPIC, { qos: 2 })
    return new Bystanders(publisher, subscriber)
  }

  /** One message at each QoS. @throws when one does not arrive in time, alone and unchanged */
  async exchange(): Promise<void> {
    for (const qos of [0, 1, 2]) {
      this.count += 1
      const text = `message ${this.count}`
      const code = await this.publisher.publish(TOPIC, text, { qos })
      if (code >= 0x80) throw new Error(`a message of a bystander was refused with 0x${code.toString(16)}`)
      await this.subscriber.expectMessage(text)
      this.subscriber.messages.length = 0
    }
  }

  /** Waits until the broker counts the two of them and nobody else. Its statistics must be switched on, and open to all. */
  async remainAlone(): Promise<void> {
    const deadline = Date.now() + COUNT_MS
    for (;;) {
      this.publisher.send(subscribePacket(this.publisher.nextPacketId(), [['$SYS/broker/clients/connected']]))
      const { text } = await this.publisher.takePacket('publish') // the retained one, or an update
      if (text === '2') return
      if (Date.now() > deadline) throw new Error(`${text} clients are connected, though all but 2 have left`)
      await wait(BETWEEN_COUNTS_MS) // another process takes its time: there is nothing here to wait for
    }
  }

  part(): void {
    this.publisher.destroy()
    this.subscriber.destroy()
  }
}
