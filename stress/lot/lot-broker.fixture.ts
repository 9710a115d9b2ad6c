/** For tests: a broker that runs LoT, which can be restarted on its data. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createSinkLogger, type LogRecord } from '../../src/base/log.js'
import { BrokerConfig, type BrokerConfigInput } from '../../src/config/schema.js'
import { type RunningBroker, startBroker } from '../../src/main.js'
import { LotUser, type LotUserOptions } from './lot-user.fixture.js'

export class LotBroker {
  /** Everything it logged, also before a restart. */
  readonly logged: LogRecord[] = []
  #running: RunningBroker | undefined
  #users: LotUser[] = []

  private constructor(
    readonly dataDirectory: string,
    private readonly settings: BrokerConfigInput,
  ) {}

  /** Starts it for a test (or a file of tests); it ends with that test. */
  static async start(t: Test, settings: BrokerConfigInput = {}): Promise<LotBroker> {
    const broker = new LotBroker(await mkdtemp(join(tmpdir(), 'merlot-lot-')), settings)
    t.teardown(async () => {
      await broker.#closeUsers()
      await broker.#running?.stopNow()
      await rm(broker.dataDirectory, { recursive: true, force: true })
    })
    await broker.#start()
    return broker
  }

  get running(): RunningBroker {
    if (this.#running === undefined) throw new Error('the broker is stopped')
    return this.#running
  }

  get port(): number {
    return this.running.listeners[0]!.port
  }

  /** A client that hears everything and sends commands. */
  async connect(options: LotUserOptions = {}): Promise<LotUser> {
    const user = await LotUser.connect(this.port, options)
    this.#users.push(user)
    return user
  }

  /** Stops as SIGTERM does, and starts again; clients have to connect anew. */
  async restart(): Promise<void> {
    await this.#closeUsers()
    await this.running.stop()
    this.#running = undefined
    await this.#start()
  }

  /** Moves the clock of the broker forward and runs what became due. */
  async advance(milliseconds: number): Promise<void> {
    await this.running.advance(milliseconds)
    await this.running.settled()
  }

  async #start(): Promise<void> {
    const config = BrokerConfig.parse({
      // whoever sends commands must be somebody: here, all clients of this machine are the owner
      listeners: [{ type: 'tcp', port: 0, anonymousUser: 'root' }],
      dataDirectory: this.dataDirectory,
      threads: { shards: 2, connections: 1 },
      sys: { intervalSeconds: 0 },
      ...this.settings,
    })
    const log = createSinkLogger({ level: 'debug', areas: {} }, (record) => this.logged.push(record))
    this.#running = await startBroker(config, { log })
  }

  async #closeUsers(): Promise<void> {
    await Promise.all(this.#users.splice(0).map((user) => user.close()))
  }
}
