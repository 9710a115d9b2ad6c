/**
 * The broker under test: our own in this process, or any broker named by MERLOT_TEST_URL (`mqtt://127.0.0.1:1883`).
 * Against the latter, what needs our clock or our configuration is skipped.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createSinkLogger, type LogRecord } from '../../src/base/log.js'
import { BrokerConfig, type BrokerConfigInput } from '../../src/config/schema.js'
import type { RunningBroker } from '../../src/main.js'
import { type ConnectOptions, connectPacket, type PublishOptions } from './client-packets.js'
import { type ClientOptions, RawClient, type Surroundings } from './raw-client.js'
import type { Target } from './transport.js'
import type { Part } from './wire.js'

export const EXTERNAL_URL = process.env.MERLOT_TEST_URL

/** Of `root`, whom rules hold back nowhere. */
const OWNER = { userName: 'root', password: 'root of the tests' } as const

/** What a client connects with; nothing for a broker that lets anybody in. */
export type Credentials = Pick<ConnectOptions, 'userName' | 'password'>

export function seconds(count: number): number {
  return count * 1_000
}

/** The test needs what only a broker in this process offers; `statement` turns it into a skipped test. */
export class NeedsOwnBroker extends Error {
  override readonly name = 'NeedsOwnBroker'
}

/** One broker, and the clients that a test (or a file of tests) opened to it. */
export class TestBroker implements Surroundings {
  private readonly clients: RawClient[] = []
  private publisher: Promise<RawClient> | undefined
  private clientCount = 0

  /** @param prefix begins every client identifier and topic, so that tests sharing a broker do not meet */
  constructor(
    readonly listeners: readonly Target[],
    private readonly running: RunningBroker | undefined,
    readonly logged: readonly LogRecord[],
    readonly prefix = 'test',
  ) {}

  /** Whether the broker runs in this process. */
  get strict(): boolean {
    return this.running !== undefined
  }

  /** To connect as somebody whom rules hold back nowhere. A broker that is not ours is taken to have none. */
  get owner(): Credentials {
    return this.strict ? OWNER : {}
  }

  /**
   * Makes a user of our broker, or finds the one that an earlier test has made; others are taken to let anybody in.
   * @throws Error if it cannot be one
   */
  async addUser(userName: string): Promise<{ readonly userName: string; readonly password: string }> {
    const password = `secret of ${userName}`
    const quote = userName.includes("'") ? '"' : "'"
    const reply = await this.running?.command(`-addUser ${quote}${userName}${quote} ${quote}${password}${quote}`)
    const isThere = reply?.success === true || reply?.message.endsWith('already exists') === true
    if (this.strict && !isThere) throw new Error(reply?.message)
    return { userName, password }
  }

  /** The same broker with other names and without clients. */
  scope(prefix: string): TestBroker {
    return new TestBroker(this.listeners, this.running, this.logged, prefix)
  }

  /** A topic name or filter no other test uses: `topic('a/+')` is `<prefix>/a/+`. */
  topic(rest: string): string {
    return `${this.prefix}/${rest}`
  }

  /** Letters and digits only, at most 23 [MQTT-3.1.3-5]; the same name gives the same identifier. */
  clientIdOf(name: string): string {
    return `${this.prefix}${name}`.replace(/[^0-9A-Za-z]/g, '').slice(0, 23)
  }

  /** @throws NeedsOwnBroker when the broker under test has no such listener */
  listener(type: Target['type'] = 'tcp'): Target {
    const found = this.listeners.find((listener) => listener.type === type)
    if (found === undefined) throw new NeedsOwnBroker(`the broker under test has no ${type} listener`)
    return found
  }

  /** A network connection on which nothing was sent yet. */
  async open(options: ClientOptions & { readonly listener?: Target } = {}): Promise<RawClient> {
    const client = await RawClient.open(options.listener ?? this.listener(), this, options)
    this.clients.push(client)
    return client
  }

  /**
   * A client that is connected. Properties of CONNECT go into `properties`; an identifier is made up unless given.
   * @throws unless the CONNECT is accepted
   */
  async connect(options: ConnectOptions & ClientOptions & { readonly listener?: Target } = {}): Promise<RawClient> {
    const client = await this.open(options)
    this.clientCount += 1
    await client.connect({ clientId: this.clientIdOf(`c${this.clientCount}`), ...options })
    return client
  }

  /** A CONNECT that the broker must not accept; see `RawClient.expectRefused`. */
  async expectRefusal(options: ConnectOptions, ...reasonCodes: readonly number[]): Promise<void> {
    const client = await this.open({ version: options.version })
    client.send(connectPacket({ clientId: this.clientIdOf('refused'), ...options }))
    await client.expectRefused(...reasonCodes)
  }

  /** From a client of its own, through the whole handshake. @returns the reason code */
  async publish(topic: Part, payload: Part = '', options: PublishOptions = {}): Promise<number> {
    this.publisher ??= this.connect({ clientId: this.clientIdOf('publisher') })
    return (await this.publisher).publish(topic, payload, options)
  }

  /** Messages `1` to `count`. */
  async publishMany(topic: string, count: number, options: PublishOptions = {}): Promise<void> {
    for (let number = 1; number <= count; number++) await this.publish(topic, String(number), options)
  }

  /** Resolves when everything that clients of this scope have sent has had its effect on all of them. */
  async settle(): Promise<void> {
    await this.pingAll()
    if (this.running === undefined) return
    await this.running.settled()
    await this.pingAll()
  }

  /** Moves the clock of the broker forward and runs what became due. */
  async advance(milliseconds: number): Promise<void> {
    await this.settle()
    await this.advanceOnly(milliseconds)
  }

  /** Like `advance`, but sends nothing before: for tests in which a PINGREQ would count as a sign of life. */
  async advanceOnly(milliseconds: number): Promise<void> {
    if (this.running === undefined) throw new NeedsOwnBroker('needs a clock that can be moved')
    await this.running.settled()
    await this.running.advance(milliseconds)
    await this.running.settled()
  }

  /** Like `advance`, but does without where the clock cannot be moved. */
  async passTime(milliseconds: number): Promise<void> {
    if (this.running !== undefined && milliseconds > 0) await this.advance(milliseconds)
  }

  /** Stops the broker as SIGTERM does. */
  async stop(): Promise<void> {
    if (this.running === undefined) throw new NeedsOwnBroker('needs a broker that can be stopped')
    await this.running.stop()
  }

  /** Drops all clients of this scope. @throws when the broker broke a rule towards one of them */
  close(): void {
    for (const client of this.clients) client.destroy()
    for (const client of this.clients.splice(0)) client.checkConduct()
  }

  private async pingAll(): Promise<void> {
    // A client may lose its connection while it waits: then there is nothing to wait for.
    await Promise.all(this.clients.filter((client) => client.responsive).map((client) => client.ping().catch(() => {})))
  }
}

/** Starts the broker for a test (or a file of tests) and stops it at the end of that test. */
export async function startTestBroker(t: Test, overrides: BrokerConfigInput = {}): Promise<TestBroker> {
  if (EXTERNAL_URL !== undefined) {
    if (Object.keys(overrides).length > 0) throw new NeedsOwnBroker('needs a configuration of its own')
    const { hostname, port } = new URL(EXTERNAL_URL)
    return new TestBroker([{ type: 'tcp', host: hostname, port: Number(port), path: '' }], undefined, [])
  }
  const dataDirectory = await mkdtemp(join(tmpdir(), 'merlot-test-'))
  const config = BrokerConfig.parse({
    listeners: [
      { type: 'tcp', port: 0 },
      { type: 'ws', port: 0 },
    ],
    dataDirectory,
    threads: { shards: 2, connections: 1 },
    sys: { intervalSeconds: 0 },
    ...overrides,
  })
  const logged: LogRecord[] = []
  const log = createSinkLogger({ level: 'warn', areas: {} }, (record) => logged.push(record))
  const { startBroker } = await import('../../src/main.js')
  const running = await startBroker(config, { log, environment: { MERLOT_ROOT_PASSWORD: OWNER.password } })
  t.teardown(async () => {
    await running.stopNow()
    await rm(dataDirectory, { recursive: true, force: true })
  })
  return new TestBroker(running.listeners, running, logged)
}
