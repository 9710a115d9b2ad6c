/** A connection of `pub` and `sub` to a broker. The only importer of MQTT.js in the product. */
import { resolve } from 'node:path'
import { connect, type IClientOptions, type IPublishPacket, type MqttClient, type Packet, ReasonCodes } from 'mqtt'
import { messageOf } from '../base/errors.js'
import { readCertificate, readTrust } from '../config/certificate-files.js'
import type { Qos } from '../mqtt/packets.js'
import type { CommandContext } from './command.js'
import { CLOSED_EARLY, connectReason, connectRemedy, refusalRemedy, withReason } from './connect-failure.js'
import type { ConnectionSettings } from './connection-options.js'
import { CommandError, ExitCode } from './exit.js'
import type { Target } from './target.js'

/** Properties of a PUBLISH; absent ones are `undefined`. User properties: the values of one name stay in order. */
export interface MessageProperties {
  readonly payloadFormatIndicator?: boolean
  readonly messageExpiryInterval?: number
  readonly topicAlias?: number
  readonly responseTopic?: string
  readonly correlationData?: Buffer
  readonly userProperties?: Readonly<Record<string, string | string[]>>
  readonly subscriptionIdentifier?: number | number[]
  readonly contentType?: string
}

export interface PublishOptions {
  readonly qos: Qos
  readonly retain: boolean
  readonly properties?: MessageProperties
}

export interface SubscribeOptions {
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly retainHandling: number
  readonly subscriptionIdentifier: number | undefined
  readonly userProperties: Record<string, string | string[]> | undefined
}

export interface ReceivedMessage {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: Qos
  readonly retain: boolean
  readonly properties: MessageProperties
}

/**
 * Takes a message; the next one comes when `settle` was called. A message that is not accepted is not acknowledged, so
 * that the broker sends it again to a session that is kept.
 */
export type MessageHandler = (message: ReceivedMessage, settle: (accepted: boolean) => void) => void

const CONNECT_SECONDS = 10
const CLOSE_SECONDS = 5
/** MQTT.js acknowledges nothing when it is given an error, and reports that error. */
const NOT_ACCEPTED = new Error('the message was not accepted')
const NOT_AUTHORIZED = 0x87
const DENIED_REMEDY =
  'log in with --username, or with --admin as the owner of the data folder; "merlot rule test" says which rule decides'

/** An MQTT connection that answers calls with what the broker said. */
export class BrokerConnection {
  /** Resolves when the connection ends and nobody here ended it. */
  readonly lost: Promise<CommandError>
  #isOver = false

  /** @param client connected @param deniedRemedy for what the broker does not allow */
  constructor(
    private readonly client: MqttClient,
    url: string,
    private readonly deniedRemedy: string,
  ) {
    this.lost = new Promise((resolve) => {
      const lose = (error: CommandError): void => {
        if (!this.#isOver) resolve(error)
        this.#isOver = true
      }
      client.once('disconnect', (packet) => lose(disconnected(url, packet)))
      client.once('close', () => lose(new CommandError(`the connection to ${url} was lost`, undefined)))
      client.on('error', (error) => {
        if (error !== NOT_ACCEPTED) lose(new CommandError(`${url}: ${messageOf(error)}`, undefined))
      })
    })
  }

  /** Ends the connection with DISCONNECT, after what was sent has left; at once when it is lost, or takes too long. */
  async close(): Promise<void> {
    const { stream } = this.client
    const isLost = this.#isOver
    this.#isOver = true
    const tooLong = setTimeout(() => stream.destroy(), CLOSE_SECONDS * 1_000)
    await this.client.endAsync(isLost)
    clearTimeout(tooLong)
  }

  /**
   * Resolves when the broker has taken responsibility for the message, at QoS 0 when it has left.
   * @throws CommandError when it is refused or the connection is lost
   */
  async publish(topic: string, payload: Buffer, options: PublishOptions): Promise<void> {
    const { properties, ...rest } = options
    const aliasMax = this.client.serverProperties?.topicAliasMaximum ?? 0
    if ((properties?.topicAlias ?? 0) > aliasMax) {
      const remedy = aliasMax === 0 ? 'leave --topic-alias out' : `use an alias from 1 to ${aliasMax}`
      throw new CommandError(`the broker does not accept topic alias ${properties?.topicAlias}`, remedy)
    }
    const answer = this.client.publishAsync(topic, payload, {
      ...rest,
      properties: properties && { ...definedOf(properties) },
    })
    await this.#settled(answer, (error) => {
      const isDenied = error instanceof Error && 'code' in error && error.code === NOT_AUTHORIZED
      return [`the message for ${topic} was refused: ${errorReason(error)}`, isDenied ? this.deniedRemedy : undefined]
    })
  }

  /** @throws CommandError when one of the filters is refused or the connection is lost */
  async subscribe(filters: readonly string[], options: SubscribeOptions): Promise<void> {
    const { qos, subscriptionIdentifier, userProperties } = options
    let suback: Packet | undefined
    this.client.on('packetreceive', (packet) => {
      if (packet.cmd === 'suback') suback = packet
    })
    const answer = this.client.subscribeAsync([...filters], {
      qos,
      nl: options.noLocal,
      rap: options.retainAsPublished,
      rh: options.retainHandling,
      properties: definedOf({ subscriptionIdentifier, userProperties }),
    })
    await this.#settled(answer, (error) => {
      const isDenied = suback?.cmd === 'suback' && suback.granted.some((code) => code === NOT_AUTHORIZED)
      const text = refusedFilters(filters, suback) ?? `cannot subscribe: ${messageOf(error)}`
      return [text, isDenied ? this.deniedRemedy : undefined]
    })
  }

  async #settled(
    answer: Promise<unknown>,
    failureOf: (error: unknown) => readonly [message: string, remedy: string | undefined],
  ): Promise<void> {
    const outcome = answer.catch((error: unknown) => {
      const [message, remedy] = failureOf(error)
      throw new CommandError(message, remedy, ExitCode.failed, { cause: error })
    })
    const first = await Promise.race([outcome, this.lost])
    if (first instanceof CommandError) throw first
  }
}

/**
 * @param onMessage takes what arrives, from the first packet on
 * @throws CommandError with the reason that the system or the broker gave
 */
export async function connectToBroker(
  settings: ConnectionSettings,
  context: CommandContext,
  onMessage?: MessageHandler,
): Promise<BrokerConnection> {
  const { url } = settings.target
  const client = connect(clientOptions(settings, context))
  if (onMessage !== undefined) handOver(client, onMessage)
  let refusal: Packet | undefined
  client.on('packetreceive', (packet) => {
    if (packet.cmd === 'connack') refusal = packet
  })
  try {
    await untilConnected(client)
    return new BrokerConnection(client, url, settings.deniedRemedy ?? DENIED_REMEDY)
  } catch (error) {
    client.end(true)
    throw notConnected(settings, error, refusal)
  }
}

/**
 * Hands over what arrives, messages of QoS 1 and 2 before PUBACK and PUBREC: after a PUBREC the broker would not send a
 * message again that was never printed. The option is set here because `connect` takes it for MQTT 5 only.
 */
function handOver(client: MqttClient, onMessage: MessageHandler): void {
  client.options.customHandleAcks = (_topic, _payload, packet: IPublishPacket, acknowledge) =>
    onMessage(receivedMessage(packet), (accepted) => acknowledge(accepted ? 0 : NOT_ACCEPTED))
  client.handleMessage = (packet, done) => {
    if (packet.qos === 0) onMessage(receivedMessage(packet), () => done())
    else done()
  }
}

function receivedMessage({ topic, payload, qos, retain, properties = {} }: IPublishPacket): ReceivedMessage {
  return { topic, payload: Buffer.from(payload), qos, retain, properties }
}

function untilConnected(client: MqttClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('error', reject)
    client.stream.once('error', reject) // the client keeps some of them to itself
    client.once('close', () => reject(new Error(CLOSED_EARLY)))
  })
}

/** `not authorized (0x87)` */
export function reasonText(code: number, reasonString?: string): string {
  const name = (ReasonCodes as Readonly<Record<number, string>>)[code] ?? 'reason'
  return withReason(name.toLowerCase(), code, reasonString)
}

/** Properties that are absent must not be there at all. */
function definedOf<T extends object>(properties: T): T {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)) as T
}

function errorReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'number' ? reasonText(code) : messageOf(error)
}

function refusedFilters(filters: readonly string[], suback: Packet | undefined): string | undefined {
  if (suback?.cmd !== 'suback') return undefined
  const refused: string[] = []
  for (const [index, code] of suback.granted.entries()) {
    if (typeof code === 'number' && code >= 0x80) refused.push(`${filters[index]}: ${reasonText(code)}`)
  }
  const { reasonString = '' } = suback.properties ?? {}
  const isTold = refused.some((text) => text.includes(reasonString))
  return `the subscription was refused: ${refused.join(', ')}${isTold ? '' : `: ${reasonString}`}`
}

function notConnected(settings: ConnectionSettings, error: unknown, refusal: Packet | undefined): CommandError {
  const { url } = settings.target
  if (refusal?.cmd === 'connack') {
    const code = refusal.reasonCode ?? refusal.returnCode ?? 0
    const reasonString = refusal.properties?.reasonString
    const remedy = refusalRemedy({ code, reasonString }, settings)
    const message = `${url} refused the connection: ${reasonText(code, reasonString)}`
    return new CommandError(message, remedy, ExitCode.failed, { cause: error })
  }
  const first = error instanceof AggregateError ? error.errors[0] : error
  const message = `cannot connect to ${url}: ${connectReason(first)}`
  return new CommandError(message, connectRemedy(settings, first), ExitCode.failed, { cause: error })
}

function disconnected(url: string, packet: Packet): CommandError {
  const code = packet.cmd === 'disconnect' ? (packet.reasonCode ?? 0) : 0
  const reasonString = packet.cmd === 'disconnect' ? packet.properties?.reasonString : undefined
  return new CommandError(`${url} ended the connection: ${reasonText(code, reasonString)}`, undefined)
}

function clientOptions(settings: ConnectionSettings, context: CommandContext): IClientOptions {
  const { version, will } = settings
  const options: IClientOptions = {
    ...transportOptions(settings.target, context),
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: version,
    clientId: settings.clientId,
    username: settings.userName,
    password: settings.password,
    clean: settings.clean,
    keepalive: settings.keepAliveSeconds,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_SECONDS * 1_000,
    resubscribe: false,
  }
  if (version === 5 && settings.sessionExpirySeconds !== undefined) {
    options.properties = { sessionExpiryInterval: settings.sessionExpirySeconds }
  }
  if (will !== undefined) {
    const { topic, qos, retain, delaySeconds } = will
    const properties = delaySeconds === undefined ? undefined : { willDelayInterval: delaySeconds }
    options.will = { topic, payload: Buffer.from(will.payload), qos, retain, properties }
  }
  return options
}

function transportOptions({ transport, host, port, path, tls }: Target, context: CommandContext): IClientOptions {
  const placed = (file: string | undefined): string | undefined => file && resolve(context.workingDirectory, file)
  const secure = (): IClientOptions => ({
    ca: readTrust(placed(tls.caFile), undefined).ca,
    ...(tls.certFile && readCertificate({ certFile: placed(tls.certFile), keyFile: placed(tls.keyFile) }).secrets),
    rejectUnauthorized: !tls.insecure,
  })
  const webHost = host.includes(':') ? `[${host}]` : host
  switch (transport) {
    case 'tcp':
      return { protocol: 'mqtt', host, port }
    case 'tls':
      return { protocol: 'mqtts', host, port, ...secure() }
    case 'ws':
      return { protocol: 'ws', host: webHost, port, path }
    case 'wss':
      return { protocol: 'wss', host: webHost, port, path, ...secure() }
    case 'unix':
      return { protocol: 'mqtt', unixSocket: true, path }
  }
}
