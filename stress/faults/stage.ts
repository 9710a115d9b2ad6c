import { parseTarget } from '../load/target.js'
import { Dialer } from '../load/transport.js'
import { BrokerProcess, type Launcher } from './broker-process.js'
import type { Scene } from './kinds/kind.js'
import type { Ledger } from './ledger.js'
import type { PowerShim } from './power-shim.js'
import type { Site } from './session-client.js'
import type { Violations } from './violations.js'

export interface StageOptions {
  readonly launcher: Launcher
  readonly folder: string
  readonly dataFolder: string
  readonly shards: number
  readonly power: PowerShim | undefined
  /** Milliseconds until a client comes back, drawn anew for each. */
  reconnectMs(): number
}

/** One start of the broker. */
export interface StartTime {
  readonly listeningMs: number
  /** From the start of the process to the first CONNACK; undefined when it was killed before. */
  connackMs: number | undefined
}

const STEP_MS = 5
/** An answer that was held up may come a little after what held it up. */
const EXCUSE_AFTER_MS = 2_000
const NOTES_MAX = 200

/** The broker's life, and what clients and faults know of it. */
export class Stage implements Scene, Site {
  readonly broker: BrokerProcess
  readonly folder: string
  readonly shards: number
  readonly power: PowerShim | undefined
  readonly violations: Violations
  readonly starts: StartTime[] = []
  readonly notes: string[] = []
  dialer: Dialer | undefined
  #startedMs = 0
  #excuses = 0
  readonly #undo: (() => Promise<void>)[] = []

  constructor(
    private readonly options: StageOptions,
    readonly ledger: Ledger,
    /** Tells the clients that `dialer` has changed. */
    private readonly onBrokerChanged: () => void,
    /** Whether a client that is new can read retained messages. */
    private readonly read: () => Promise<boolean>,
  ) {
    this.broker = this.makeBroker(options.dataFolder)
    this.folder = options.folder
    this.shards = options.shards
    this.power = options.power
    this.violations = ledger.violations
  }

  get site(): Site {
    return this
  }

  makeBroker(dataFolder: string): BrokerProcess {
    return new BrokerProcess(this.options.launcher, dataFolder)
  }

  async start(): Promise<void> {
    this.#startedMs = performance.now()
    const url = await this.broker.start()
    this.starts.push({ listeningMs: performance.now() - this.#startedMs, connackMs: undefined })
    this.dialer = new Dialer(parseTarget(url))
    this.onBrokerChanged()
  }

  async kill(): Promise<void> {
    this.dialer = undefined
    await this.broker.kill()
  }

  async stop(): Promise<void> {
    this.dialer = undefined
    const ending = await this.broker.stop()
    if (ending !== 'status 0') this.violations.add('end', `told to stop, the broker ended with ${ending}`)
  }

  async succeed(order: string): Promise<boolean> {
    const before = performance.now()
    const url = await this.broker.orderSuccession(order)
    if (url === undefined) return false
    this.#startedMs = before
    this.starts.push({ listeningMs: performance.now() - before, connackMs: undefined })
    this.dialer = new Dialer(parseTarget(url))
    this.onBrokerChanged()
    return true
  }

  onWelcome(): void {
    const last = this.starts.at(-1)
    if (last !== undefined && last.connackMs === undefined) last.connackMs = performance.now() - this.#startedMs
  }

  reconnectMs(): number {
    return this.options.reconnectMs()
  }

  get isExcused(): boolean {
    return this.#excuses > 0
  }

  excuse = async (work: () => Promise<void>): Promise<void> => {
    this.#excuses++
    try {
      await work()
    } finally {
      setTimeout(() => this.#excuses--, EXCUSE_AFTER_MS)
    }
  }

  canRead(): Promise<boolean> {
    return this.read()
  }

  atEnd(undo: () => Promise<void>): void {
    this.#undo.push(undo)
  }

  note = (text: string): void => {
    if (this.notes.length < NOTES_MAX) this.notes.push(text)
  }

  until = async (condition: () => boolean, limitMs: number): Promise<boolean> => {
    const endMs = performance.now() + limitMs
    while (!condition() && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, STEP_MS))
    return condition()
  }

  /** Ends the broker by force, if it still runs, and undoes what faults have set up. */
  async close(): Promise<void> {
    await this.kill()
    for (const undo of this.#undo.reverse()) await undo()
  }
}
