/** For tests: somebody who knows LoT and the command topics, with an MQTT.js client and nothing else. */
import { connectAsync, type IClientPublishOptions, type MqttClient } from 'mqtt'

export const COMMAND = '$SYS/Coreflux/Command'
export const OUTPUT = '$SYS/Coreflux/Command/Output'
const EVERYTHING = ['#', '$SYS/#']
/** A generous end for what takes milliseconds where nothing else runs. */
const PATIENCE_MS = 25_000

export interface Heard {
  readonly topic: string
  readonly text: string
  readonly payload: Buffer
  readonly retain: boolean
  readonly qos: number
  readonly atMs: number
}

export interface CommandProblem {
  readonly message: string
  readonly line?: number
  readonly column?: number
  readonly sourceLines?: readonly { readonly line: number; readonly text: string }[]
  readonly suggestions?: readonly string[]
}

/** What a command is answered with; see docs/commands.md. */
export interface Envelope {
  readonly success: boolean
  readonly command?: string
  readonly requestId?: string
  readonly message: string
  readonly entityType?: string
  readonly entityName?: string
  // biome-ignore lint/suspicious/noExplicitAny: the shape depends on the command, and tests compare it as a whole
  readonly data: any
  readonly errors?: readonly CommandProblem[]
  readonly warnings?: readonly unknown[]
}

export interface LotUserOptions {
  readonly clientId?: string
  readonly username?: string
  readonly password?: string
  readonly protocolVersion?: 4 | 5
  /** Topic filters to hear; everything, where left out. */
  readonly hears?: readonly string[]
}

export class LotUser {
  readonly heard: Heard[] = []
  #waiting: (() => void)[] = []
  #requests = 0

  private constructor(readonly client: MqttClient) {
    client.on('error', () => {}) // whoever waits for an answer sees it
    client.on('message', (topic, payload, { retain, qos }) => {
      this.heard.push({ topic, text: payload.toString(), payload, retain, qos, atMs: performance.now() })
      for (const wake of this.#waiting.splice(0)) wake()
    })
  }

  static async connect(port: number, options: LotUserOptions = {}): Promise<LotUser> {
    const { hears = EVERYTHING, protocolVersion = 5, ...rest } = options
    const client = await connectAsync({
      protocol: 'mqtt',
      host: '127.0.0.1',
      port,
      protocolVersion,
      reconnectPeriod: 0,
      keepalive: 0, // tests move the clock
      ...rest,
    })
    const user = new LotUser(client)
    if (hears.length > 0) await client.subscribeAsync([...hears], { qos: 1 })
    return user
  }

  async close(): Promise<void> {
    await this.client.endAsync(true)
  }

  /** At QoS 1 where nothing else is said: resolves when the broker has taken it. */
  async publish(topic: string, payload: string | Buffer, options: IClientPublishOptions = {}): Promise<void> {
    await this.client.publishAsync(topic, payload, { qos: 1, ...options })
  }

  /** Sends a command under a request identifier of its own. @returns its answer */
  async command(text: string): Promise<Envelope> {
    this.#requests += 1
    const requestId = `${this.client.options.clientId}-${this.#requests}`
    const from = this.heard.length
    await this.publish(COMMAND, `${text} -requestId ${requestId}`)
    const answer = await this.until(
      ({ topic, text }) => topic === OUTPUT && text.includes(`"requestId":"${requestId}"`),
      { from, what: `an answer to ${text}` },
    )
    return JSON.parse(answer.text) as Envelope
  }

  /** @throws unless the command succeeds */
  async succeed(text: string): Promise<Envelope> {
    const answer = await this.command(text)
    if (!answer.success) throw new Error(`${text}\nfailed: ${JSON.stringify(answer, undefined, 2)}`)
    return answer
  }

  /** Sends a command as old clients do, without an identifier. @returns the next text on the output topic */
  async plainCommand(text: string): Promise<string> {
    const from = this.heard.length
    await this.publish(COMMAND, text)
    return (await this.until(({ topic }) => topic === OUTPUT, { from, what: `an answer to ${text}` })).text
  }

  /** The first message that is looked for, heard since `from`. */
  async until(
    isIt: (message: Heard) => boolean,
    options: { readonly from?: number; readonly what?: string } = {},
  ): Promise<Heard> {
    let next = options.from ?? 0
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      for (; next < this.heard.length; next++) {
        if (isIt(this.heard[next]!)) return this.heard[next]!
      }
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`waited in vain for ${options.what ?? 'a message'}\n${this.#latest()}`)
      await this.#more(left)
    }
  }

  /** The first message on the topic since `from`. */
  async on(topic: string, from = 0): Promise<Heard> {
    return this.until((message) => message.topic === topic, { from, what: topic })
  }

  /** Resolves when the topic had so many messages since `from`. @returns their texts */
  async texts(topic: string, count: number, from = 0): Promise<string[]> {
    let found = 0
    await this.until((message) => message.topic === topic && ++found >= count, { from, what: `${count} × ${topic}` })
    return this.onTopic(topic, from)
  }

  /** Texts heard so far. */
  onTopic(topic: string, from = 0): string[] {
    return this.heard.slice(from).flatMap((message) => (message.topic === topic ? [message.text] : []))
  }

  /** Publishes, and waits for what comes of it. @returns the next text on the topic */
  async answer(topic: string, payload: string | Buffer, on: string): Promise<string> {
    const from = this.heard.length
    await this.publish(topic, payload)
    return (await this.on(on, from)).text
  }

  /** Resolves when all that was published before, by the broker too, was heard. */
  async caughtUp(settled: () => Promise<void>): Promise<void> {
    await settled()
    const marker = `caught-up/${this.client.options.clientId}/${this.heard.length}`
    const from = this.heard.length
    await this.publish(marker, '')
    await this.on(marker, from)
  }

  #more(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#waiting.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #latest(): string {
    const lines = this.heard.slice(-12).map(({ topic, text }) => `  ${topic}: ${text.slice(0, 300)}`)
    return `heard last:\n${lines.join('\n')}`
  }
}

/** A retained message as a new subscriber gets it. */
export async function retained(
  broker: { readonly port: number; readonly running: { settled(): Promise<void> } },
  topic: string,
): Promise<string | undefined> {
  const reader = await LotUser.connect(broker.port, { hears: ['caught-up/#', topic] })
  await reader.caughtUp(() => broker.running.settled())
  const message = reader.heard.find((heard) => heard.topic === topic && heard.retain)
  await reader.close()
  return message?.text
}
