/** For tests: a client of MQTT.js whose messages can be awaited one by one. */
import { readFileSync } from 'node:fs'
import { connect, type IClientOptions, type IConnackPacket, type IPublishPacket, type MqttClient } from 'mqtt'
import type { Test } from 'tap'
import type { InteropBroker, TransportName } from './every-transport.fixture.js'

/** Protocol level of CONNECT, and what people call it. */
export const VERSIONS = [
  [3, '3.1'],
  [4, '3.1.1'],
  [5, '5'],
] as const
export type Version = (typeof VERSIONS)[number][0]

export interface Received {
  readonly topic: string
  readonly payload: Buffer
  readonly text: string
  readonly qos: number
  readonly retain: boolean
  readonly properties: NonNullable<IPublishPacket['properties']>
}

export class JsClient {
  private readonly arrived: Received[] = []
  private readonly waiting: ((message: Received) => void)[] = []

  private constructor(readonly client: MqttClient) {
    client.on('error', () => {}) // a broker that is away, for example: a test that needs it fails where it waits
    client.on('message', (topic, payload, { qos, retain, properties = {} }) => {
      const message = { topic, payload, text: payload.toString(), qos, retain, properties }
      const next = this.waiting.shift()
      if (next === undefined) this.arrived.push(message)
      else next(message)
    })
  }

  /** Not connected yet, or about to be: the messages from the very first on are kept. Ends with the test. */
  static begin(t: Test, broker: InteropBroker, options: IClientOptions & { transport?: TransportName } = {}): JsClient {
    const { transport = 'tcp', protocolVersion = 5, ...rest } = options
    const client = connect({
      ...reachBy(transport, broker),
      protocolVersion,
      protocolId: protocolVersion === 3 ? 'MQIsdp' : 'MQTT',
      reconnectPeriod: 0,
      ...rest,
    })
    t.teardown(() => client.endAsync(true))
    return new JsClient(client)
  }

  /** @returns the client, and what the broker said to its CONNECT */
  static async connect(
    t: Test,
    broker: InteropBroker,
    options?: IClientOptions & { transport?: TransportName },
  ): Promise<{ readonly client: MqttClient; readonly messages: JsClient; readonly connack: IConnackPacket }> {
    const messages = JsClient.begin(t, broker, options)
    return { client: messages.client, messages, connack: await messages.connected() }
  }

  /** Resolves at the next CONNACK that accepts. */
  connected(): Promise<IConnackPacket> {
    return new Promise((resolve) => this.client.once('connect', resolve))
  }

  /** The next message, in the order of arrival; without one, the test runs into its timeout. */
  async next(): Promise<Received> {
    return this.arrived.shift() ?? new Promise((resolve) => this.waiting.push(resolve))
  }

  async take(count: number): Promise<Received[]> {
    const messages: Received[] = []
    while (messages.length < count) messages.push(await this.next())
    return messages
  }
}

function reachBy(transport: TransportName, broker: InteropBroker): IClientOptions {
  const { host, port, path } = broker.address(transport)
  switch (transport) {
    case 'tcp':
      return { protocol: 'mqtt', host, port }
    case 'ws':
      return { protocol: 'ws', host, port, path }
    case 'tls':
      return { protocol: 'mqtts', host, port, ca: readFileSync(broker.certFile) }
    case 'wss':
      return { protocol: 'wss', host, port, path, ca: readFileSync(broker.certFile) }
    case 'unix':
      return { protocol: 'mqtt', unixSocket: true, path }
  }
}
