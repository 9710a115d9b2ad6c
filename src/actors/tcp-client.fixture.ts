/** A client on a real socket, as small as it can be. */
import { connect, type Socket } from 'node:net'
import {
  type BrokerPacket,
  decodeBrokerPacket,
  encodeConnect,
  encodeSubscribe,
  PLAIN_CONNECT,
} from '../mqtt/client-codec.js'
import { FrameStatus, FrameView, readFrame } from '../mqtt/frame.js'
import { encodePublish } from '../mqtt/publish-writer.js'

const DEADLINE_MS = 10_000

export class TcpClient {
  /** Packets not yet expected. */
  readonly #packets: BrokerPacket[] = []
  readonly #frame = new FrameView()
  #rest: Buffer = Buffer.alloc(0)
  #heard: () => void = () => {}
  isClosed = false

  private constructor(
    readonly clientId: string,
    readonly socket: Socket,
  ) {
    socket.on('error', () => {}) // 'close' follows
    socket.on('close', () => {
      this.isClosed = true
      this.#heard()
    })
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  /** @returns the client, and whether it found its session */
  static async connect(port: number, clientId: string, expiry = 0, cleanStart = true): Promise<[TcpClient, boolean]> {
    const client = new TcpClient(clientId, connect(port, '127.0.0.1'))
    client.socket.write(encodeConnect({ ...PLAIN_CONNECT, clientId, cleanStart, sessionExpirySeconds: expiry }))
    const connack = await client.expect('connack')
    if (connack.reasonCode !== 0) throw new Error(`refused with ${connack.reasonCode}`)
    return [client, connack.sessionPresent]
  }

  async subscribe(filter: string): Promise<void> {
    const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
    const subscriptions = [{ filter, ...options }]
    const packet = { kind: 'subscribe', packetId: 1, subscriptions, subscriptionIdentifier: undefined } as const
    this.socket.write(encodeSubscribe({ ...packet, userProperties: [] }, 5))
    await this.expect('suback')
  }

  /** With QoS 1. @returns the reason code of the acknowledgement */
  async publish(topic: string, payload: string): Promise<number> {
    this.socket.write(encodePublish({ version: 5, topic, payload: Buffer.from(payload), qos: 1, packetId: 7 }))
    return (await this.expect('puback')).reasonCode
  }

  async message(): Promise<string> {
    const { topic, payload } = await this.expect('publish')
    return `${topic}=${Buffer.from(payload)}`
  }

  /** The next packet of that kind; those before it stay. */
  async expect<Kind extends BrokerPacket['kind']>(kind: Kind): Promise<BrokerPacket & { readonly kind: Kind }> {
    for (;;) {
      const place = this.#packets.findIndex((packet) => packet.kind === kind)
      if (place >= 0) return this.#packets.splice(place, 1)[0] as BrokerPacket & { readonly kind: Kind }
      if (this.isClosed) throw new Error(`${this.clientId} was closed while it waited for ${kind}`)
      await this.#something(kind)
    }
  }

  async closed(): Promise<void> {
    while (!this.isClosed) await this.#something('the end')
  }

  #something(what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`${this.clientId} waited in vain for ${what}`))
      const timer = setTimeout(late, DEADLINE_MS)
      this.#heard = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    while (readFrame(this.#rest, 0, this.#rest.length, this.#frame) === FrameStatus.COMPLETE) {
      this.#packets.push(decodeBrokerPacket(this.#rest.subarray(0, this.#frame.packetBytes), 5))
      this.#rest = this.#rest.subarray(this.#frame.packetBytes)
    }
    this.#heard()
  }
}
