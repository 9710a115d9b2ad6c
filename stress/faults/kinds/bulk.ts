import { PacketType } from '../../../src/mqtt/packets.js'
import { encodePublish } from '../../../src/mqtt/publish-writer.js'
import { reasonCodeName } from '../../../src/mqtt/reason-codes.js'
import { type Publish, SessionClient, type SessionRole } from '../session-client.js'
import type { Scene } from './kind.js'

const PREFIX = 'faults/bulk'
const PAYLOAD = new Uint8Array(65_536).fill(1)
const MESSAGES_MAX = 2_000
const QUOTA_EXCEEDED = 0x97
const REFUSED = 0x80
const ANSWER_MS = 5_000

/** Large retained messages on topics of their own, which a store without room cannot take. */
export class Bulk implements SessionRole {
  readonly #client: SessionClient
  readonly #found = new Set<string>()
  #accepted = 0
  #answer: number | undefined

  constructor(private readonly scene: Scene) {
    const traits = { clientId: 'bulk', version: 5, isPersistent: false, receiveMaximum: 100 } as const
    this.#client = new SessionClient(traits, scene.site, this)
  }

  /** Publishes until the broker refuses, which it must do with 0x97. */
  async pour(): Promise<void> {
    const { ledger, until, note } = this.scene
    this.#client.join()
    await until(() => this.#client.isConnected, ANSWER_MS)
    while (this.#accepted < MESSAGES_MAX) {
      const answer = await this.#publish(this.#accepted, PAYLOAD)
      if (answer === undefined || answer >= REFUSED) {
        const text = answer === undefined ? 'one stayed without answer' : `one was refused: ${reasonCodeName(answer)}`
        note(`disk full: ${this.#accepted} messages of 64 KiB were taken, then ${text}`)
        if (answer !== QUOTA_EXCEEDED) ledger.violations.add('fault', `disk full: ${text}, not 0x97`)
        return
      }
      this.#accepted++
    }
    ledger.violations.add('fault', `disk full: ${MESSAGES_MAX} messages of 64 KiB were acknowledged nevertheless`)
  }

  /** Reads back what was acknowledged, and takes it away again. To be called when there is room. */
  async clear(): Promise<void> {
    const { ledger, until } = this.scene
    await this.#client.subscribe(`${PREFIX}/#`, 0)
    const isThere = (): boolean => this.#missing().length === 0
    if (!(await until(isThere, ANSWER_MS))) {
      const text = `disk full: ${this.#missing().length} of ${this.#accepted} large retained messages are gone`
      ledger.violations.add('retained', text)
    }
    for (let nth = 0; nth < this.#accepted; nth++) {
      const answer = await this.#publish(nth, new Uint8Array(0))
      if (answer === undefined || answer >= REFUSED) {
        ledger.violations.add('fault', 'disk full: with room again, a retained message could not be taken away')
        break
      }
    }
    this.#client.leave()
  }

  #missing(): string[] {
    const topics = Array.from({ length: this.#accepted }, (_, nth) => `${PREFIX}/${nth}`)
    return topics.filter((topic) => !this.#found.has(topic))
  }

  /** @returns the reason code; undefined when none came */
  async #publish(nth: number, payload: Uint8Array): Promise<number | undefined> {
    this.#answer = undefined
    const topic = `${PREFIX}/${nth}`
    this.#client.write(encodePublish({ version: 5, topic, payload, qos: 1, retain: true, packetId: 1 }))
    await this.scene.until(() => this.#answer !== undefined, ANSWER_MS)
    return this.#answer
  }

  onConnected(): void {}

  onAck(type: number, _packetId: number, reasonCode: number): void {
    if (type === PacketType.PUBACK) this.#answer = reasonCode
  }

  onPublish({ topic, retain, payload }: Publish): void {
    if (retain && payload.length === PAYLOAD.length) this.#found.add(topic)
  }
}
