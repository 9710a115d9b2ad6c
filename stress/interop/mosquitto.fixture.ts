/** For tests: the command line clients of Mosquitto, where they are installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { InteropBroker } from './every-transport.fixture.js'

export const VERSIONS = ['mqttv31', 'mqttv311', 'mqttv5'] as const
export type MosquittoTransport = 'tcp' | 'tls' | 'unix'

const help = spawnSync('mosquitto_sub', ['--help'], { encoding: 'utf8' })

/** Why there is nothing to test with; `false` where the clients are there, as tap wants it. */
export const missing = help.error === undefined ? false : 'mosquitto_pub and mosquitto_sub are not installed'

/** Transports that the installed clients know; Unix sockets came with 2.0. */
export const transports = (['tcp', 'tls', 'unix'] as const).filter(
  (transport) => transport !== 'unix' || help.stdout?.includes('--unix'),
)

/** `-p 1234`, `--unix FILE` … */
export function reach(broker: InteropBroker, transport: MosquittoTransport): string[] {
  const { host, port, path } = broker.address(transport)
  if (transport === 'unix') return ['--unix', path]
  const trust = transport === 'tls' ? ['--cafile', broker.certFile] : []
  return ['-h', host, '-p', String(port), ...trust]
}

/** Publishes, and waits until the client has ended. @throws Error with what it printed when it failed */
export async function publish(args: readonly string[], input = ''): Promise<void> {
  const child = spawn('mosquitto_pub', args, { stdio: [input === '' ? 'ignore' : 'pipe', 'pipe', 'pipe'] })
  const printed: string[] = []
  child.stdout?.on('data', (chunk: Buffer) => printed.push(chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => printed.push(chunk.toString()))
  child.stdin?.on('error', () => {}) // it ended before it had read everything: its exit code tells
  child.stdin?.end(input)
  const [code] = await once(child, 'close')
  if (code !== 0 || printed.length > 0) throw new Error(`mosquitto_pub ended with ${code}: ${printed.join('')}`)
}

/** `mosquitto_sub` that prints `topic qos retain payload`. */
export class Subscriber {
  private readonly arrived: string[] = []
  private readonly waiting: ((line: string) => void)[] = []
  private readonly ended: Promise<number | null>

  private constructor(readonly child: ChildProcess) {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const next = this.waiting.shift()
      if (next === undefined) this.arrived.push(line)
      else next(line)
    })
    this.ended = once(child, 'close').then(([code]) => code as number | null)
  }

  /** Ends with the test. */
  static start(t: Test, args: readonly string[]): Subscriber {
    const child = spawn('mosquitto_sub', ['-F', '%t %q %r %p', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    return new Subscriber(child)
  }

  /**
   * Resolves when the subscription is made. The client does not tell before the first message, so it gets one: from
   * `ready`, a topic with a retained message.
   */
  static async ready(t: Test, ready: string, args: readonly string[]): Promise<Subscriber> {
    const subscriber = Subscriber.start(t, [...args, '-t', ready])
    const line = await subscriber.next()
    if (!line.startsWith(`${ready} `)) throw new Error(`a message came before the subscription was made: ${line}`)
    return subscriber
  }

  /** The next line it prints; without one, the test runs into its timeout. */
  async next(): Promise<string> {
    return this.arrived.shift() ?? new Promise((resolve) => this.waiting.push(resolve))
  }

  /** All lines it has printed when it ended by itself. @throws Error when it failed */
  async rest(): Promise<readonly string[]> {
    const code = await this.ended
    if (code !== 0) throw new Error(`mosquitto_sub ended with ${code}`)
    return this.arrived
  }

  /** Ends it without DISCONNECT. */
  kill(): void {
    this.child.kill('SIGKILL')
  }
}
