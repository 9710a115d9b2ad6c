/** For tests: a broker with users and rules, as its owner sees it, which can be restarted on its data. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createSinkLogger, type LogRecord } from '../../src/base/log.js'
import { BrokerConfig, type BrokerConfigInput } from '../../src/config/schema.js'
import { type RunningBroker, startBroker } from '../../src/main.js'
import { TestBroker } from '../support/broker.js'
import type { ConnectOptions } from '../support/client-packets.js'
import type { ClientOptions, RawClient } from '../support/raw-client.js'

/** Of all users. */
export const PASSWORD = 'a password for tests'

export class SecuredBroker {
  readonly logged: LogRecord[] = []
  #running: RunningBroker | undefined
  #clients: TestBroker | undefined
  #rules = 0

  private constructor(
    readonly dataDirectory: string,
    private readonly settings: BrokerConfigInput,
  ) {}

  /** Starts it for a file of tests, with these users; it ends with the tests. */
  static async start(t: Test, users: readonly string[], settings: BrokerConfigInput = {}): Promise<SecuredBroker> {
    const broker = new SecuredBroker(await mkdtemp(join(tmpdir(), 'merlot-test-')), settings)
    t.teardown(async () => {
      await broker.#running?.stopNow()
      await rm(broker.dataDirectory, { recursive: true, force: true })
    })
    await broker.run()
    for (const user of users) await broker.command(`-addUser ${user} "${PASSWORD}"`)
    return broker
  }

  get running(): RunningBroker {
    if (this.#running === undefined) throw new Error('the broker is stopped')
    return this.#running
  }

  /** Its clients. */
  get clients(): TestBroker {
    if (this.#clients === undefined) throw new Error('the broker is stopped')
    return this.#clients
  }

  /** @throws BrokerError where it does not start */
  async run(): Promise<void> {
    const config = BrokerConfig.parse({
      listeners: [{ type: 'tcp', port: 0 }],
      dataDirectory: this.dataDirectory,
      threads: { shards: 2, connections: 1 },
      sys: { intervalSeconds: 0 },
      ...this.settings,
    })
    const log = createSinkLogger({ level: 'info', areas: {} }, (record) => this.logged.push(record))
    this.#running = await startBroker(config, { log, environment: { MERLOT_ROOT_PASSWORD: PASSWORD } })
    this.#clients = new TestBroker(this.#running.listeners, this.#running, this.logged)
  }

  /** As SIGTERM does. Clients have to connect anew. */
  async stop(): Promise<void> {
    this.#clients?.close()
    await this.running.stop()
    this.#running = undefined
    this.#clients = undefined
  }

  /** Carries out a command of the owner. @throws if it fails */
  async command(text: string): Promise<void> {
    const reply = await this.running.command(text)
    if (reply?.success !== true) throw new Error(`${text}: ${reply?.message}`)
    await this.running.settled()
  }

  /**
   * Adds a rule that is asked before those that come with the broker.
   * @param what for example `Publish TO TOPIC "a/#"` @param body lines, not indented
   * @returns its name
   */
  async rule(what: string, ...body: readonly string[]): Promise<string> {
    const name = `Test${++this.#rules}`
    const lines = body.map((line) => `\n    ${line}`).join('')
    await this.command(`-addRule DEFINE RULE ${name} WITH PRIORITY 200 FOR ${what}${lines}`)
    return name
  }

  /** Connected as this user. */
  as(userName: string, options: ConnectOptions & ClientOptions = {}): Promise<RawClient> {
    return this.clients.connect({ clientId: `of-${userName}`, userName, password: PASSWORD, ...options })
  }
}

/** A session that outlives its connection. */
export function lasting(clientId: string): ConnectOptions {
  return { clientId, cleanStart: false, properties: { sessionExpiryInterval: 1_000 } }
}
