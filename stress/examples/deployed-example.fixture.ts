/** For tests: an example project on a running broker, and an MQTT client that plays the cases of its test file. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync, type MqttClient } from 'mqtt'
import type { Test } from 'tap'
import { silentLogger } from '../../src/base/log.js'
import { BrokerConfig } from '../../src/config/schema.js'
import { payloadBytes } from '../../src/lot-runner/reports.js'
import { compareMessages, type PublishedEffect } from '../../src/lot-simulator/compare.js'
import type { Expected, Step, TestCase } from '../../src/lot-simulator/test-file.js'
import { type RunningBroker, startBroker } from '../../src/main.js'

const WEEK_MS = 604_800_000
const MARKER = 'test/marker'
/** Python takes its time to start. */
const PATIENCE_MS = 40_000

export class DeployedExample {
  #messages: PublishedEffect[] = []
  #markers = 0
  #seen = 0
  #onMarker: (() => void) | undefined
  /** Of the broker's clock, which it shares with nobody: how far it is ahead. */
  #aheadMs = 0

  private constructor(
    readonly broker: RunningBroker,
    /** Sends, and gets everything but what it sends. */
    readonly client: MqttClient,
    readonly other: MqttClient,
  ) {
    client.on('message', (topic, payload, { qos, retain }) => {
      if (topic === MARKER) {
        this.#seen = Number(payload.toString())
        this.#onMarker?.()
      } else this.#messages.push({ kind: 'publish', topic, payload, qos, retain })
    })
  }

  /** @param timeMs day of the week and time of day at which the project is loaded */
  static async start(t: Test, project: string, timeMs: number): Promise<DeployedExample> {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'merlot-example-'))
    const config = BrokerConfig.parse({
      listeners: [{ type: 'tcp', port: 0 }],
      dataDirectory,
      threads: { shards: 2, connections: 1 },
      sys: { intervalSeconds: 0 },
    })
    const broker = await startBroker(config, { log: silentLogger })
    // no keep-alive: the broker's clock leaps
    const options = { port: broker.listeners[0].port, protocolVersion: 5, keepalive: 0, reconnectPeriod: 0 } as const
    const client = await connectAsync({ ...options, clientId: 'driver' })
    const other = await connectAsync({ ...options, clientId: 'marker' })
    t.teardown(async () => {
      await client.endAsync(true)
      await other.endAsync(true)
      await broker.stopNow()
      await rm(dataDirectory, { recursive: true, force: true })
    })
    const example = new DeployedExample(broker, client, other)
    await client.subscribeAsync('#', { qos: 2, nl: true, rap: true, rh: 2 })
    await example.#moveTo(timeMs)
    await example.#load(project)
    return example
  }

  /** @returns lines of differences */
  async play(test: TestCase): Promise<string[]> {
    if (test.time !== undefined) await this.#moveTo(test.time)
    await this.#settle()
    this.#messages = []
    const differences: string[] = []
    for (const step of test.given) differences.push(...(await this.#do(step, test)))
    return [...differences, ...(await this.#compare(test.expect, test))]
  }

  async #do({ publish, advance, start, expect, ...unknown }: Step, test: TestCase): Promise<string[]> {
    const [name] = Object.keys(unknown)
    if (name !== undefined) throw new Error(`${test.name}: a broker can not be given "${name}"`)
    // what is ON START has run when the project was loaded
    if (start === true) return []
    if (expect !== undefined) return this.#compare(expect, test)
    if (publish !== undefined) {
      await this.client.publishAsync(publish.topic, Buffer.from(payloadBytes(publish.payload)), { qos: 1 })
    }
    if (advance !== undefined) await this.#advance(advance)
    await this.#settle()
    return []
  }

  /** Waits for what is expected to come; what comes besides is there by then. */
  async #compare(expected: readonly Expected[], test: TestCase): Promise<string[]> {
    for (const end = performance.now() + PATIENCE_MS; ; ) {
      await this.#settle()
      // messages of different topics take different ways, and overtake each other there
      const differences = compareMessages(expected, this.#messages, { ...test, order: 'any' })
      if (differences.length === 0 || performance.now() > end || this.#messages.length > expected.length) {
        this.#messages = []
        return differences
      }
    }
  }

  /** Resolves when the client has everything that was published until now. */
  async #settle(): Promise<void> {
    await this.broker.settled()
    const number = ++this.#markers
    await this.other.publishAsync(MARKER, String(number), { qos: 1 })
    while (this.#seen < number) {
      await new Promise<void>((resolve) => {
        this.#onMarker = resolve
      })
    }
  }

  /** The same time of day on the same day of the week. */
  async #moveTo(timeMs: number): Promise<void> {
    const nowMs = Date.now() + this.#aheadMs
    await this.#advance((((timeMs - nowMs) % WEEK_MS) + WEEK_MS) % WEEK_MS)
  }

  async #advance(ms: number): Promise<void> {
    this.#aheadMs += ms
    await this.broker.advance(ms)
  }

  /** As `merlot command "-addProject FOLDER load"` does. */
  async #load(project: string): Promise<void> {
    const answer = await this.broker.command(`-addProject "${project}" load`)
    if (answer?.success !== true) throw new Error(answer?.message)
  }
}
