/** For tests: a broker in this process that listens in every way it can, with a certificate of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import type { Test } from 'tap'
import { createSinkLogger } from '../../src/base/log.js'
import { BrokerConfig, type BrokerConfigInput } from '../../src/config/schema.js'
import { type ListenerAddress, type RunningBroker, startBroker } from '../../src/main.js'

export const TRANSPORTS = ['tcp', 'ws', 'tls', 'wss', 'unix'] as const
export type TransportName = (typeof TRANSPORTS)[number]

/** One broker after the other, on the same ports. */
export class InteropBroker {
  private running: RunningBroker | undefined
  private ports: readonly number[] = [0, 0, 0, 0]

  /** @param folder for data, certificate and socket; a short path, because that of a socket has some 100 bytes */
  private constructor(
    private readonly folder: string,
    private readonly settings: BrokerConfigInput,
  ) {}

  /** Starts it for a test (or a file of tests); it stops when that test ends. */
  static async start(t: Test, settings: BrokerConfigInput = {}): Promise<InteropBroker> {
    const broker = new InteropBroker(await mkdtemp(join(tmpdir(), 'merlot-')), settings)
    t.teardown(async () => {
      await broker.stopNow()
      await rm(broker.folder, { recursive: true, force: true })
    })
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      keyType: 'ec',
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
      ],
    })
    await Promise.all([writeFile(broker.certFile, cert), writeFile(join(broker.folder, 'key.pem'), key)])
    await broker.startAgain()
    return broker
  }

  /** The certificate of the broker, which is its own authority. */
  get certFile(): string {
    return join(this.folder, 'cert.pem')
  }

  /** Where it listens by this transport. */
  address(type: TransportName): ListenerAddress {
    const found = this.running?.listeners.find((listener) => listener.type === type)
    if (found === undefined) throw new Error(`the broker does not listen by ${type}`)
    return found
  }

  /** Resolves when all that was sent has had its effect. */
  async settled(): Promise<void> {
    await this.running?.settled()
  }

  async stop(): Promise<void> {
    await this.running?.stop()
    this.running = undefined
  }

  /** After `stop`: on the ports it had before. */
  async startAgain(): Promise<void> {
    const [tcp, ws, tls, wss] = this.ports
    const files = { certFile: this.certFile, keyFile: join(this.folder, 'key.pem') }
    const config = BrokerConfig.parse({
      listeners: [
        { type: 'tcp', port: tcp },
        { type: 'ws', port: ws },
        { type: 'tls', port: tls, tls: files },
        { type: 'wss', port: wss, tls: files },
        { type: 'unix', path: join(this.folder, 'm.sock') },
      ],
      dataDirectory: join(this.folder, 'data'),
      threads: { shards: 2, connections: 1 },
      sys: { intervalSeconds: 0 },
      ...this.settings,
    })
    this.running = await startBroker(config, { log: createSinkLogger({ level: 'silent', areas: {} }, () => {}) })
    this.ports = this.running.listeners.map(({ port }) => port)
  }

  private async stopNow(): Promise<void> {
    await this.running?.stopNow()
    this.running = undefined
  }
}
