/** For tests: a command centre between a store, a LoT thread and a broker that only remember. */
import type { Test } from 'tap'
import { createSinkLogger, type LogRecord } from '../base/log.js'
import { ManualClock } from '../base/manual-clock.fixture.js'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import type {
  DefinitionChange,
  EntityRef,
  EntityState,
  EnvironmentChange,
  RunnableDefinition,
  RunReport,
  RunRequest,
  StoredDefinition,
} from '../contracts/lot.js'
import type { Identity } from '../contracts/security.js'
import type { InternalPublish } from '../contracts/threads.js'
import { type CentreOptions, CommandCentre } from './centre.js'
import type { DefinitionStore, LotCalls } from './committer.js'
import { OUTPUT_TOPIC } from './envelope.js'
import { SYS_PREFIX } from './snapshots.js'

export class RememberingStore implements DefinitionStore {
  readonly definitionsByKey = new Map<string, Uint8Array>()
  transactions = 0
  /** Refuses what this says. */
  refuse: (changes: readonly DefinitionChange[]) => Error | undefined = () => undefined

  async saveDefinitions(changes: readonly DefinitionChange[]): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    const refusal = this.refuse(changes)
    if (refusal !== undefined) throw refusal
    this.transactions++
    for (const { key, value } of changes) {
      if (value === undefined) this.definitionsByKey.delete(key)
      else this.definitionsByKey.set(key, value)
    }
  }

  async definitions(): Promise<readonly StoredDefinition[]> {
    return [...this.definitionsByKey].map(([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  keys(): string[] {
    return [...this.definitionsByKey.keys()]
      .filter((key) => !key.startsWith('rule/') && !key.startsWith('settings/') && key !== 'user/root')
      .sort()
  }

  text(key: string): string {
    return Buffer.from(this.definitionsByKey.get(key) ?? []).toString()
  }
}

export class RememberingLot implements LotCalls {
  readonly installed = new Map<string, RunnableDefinition>()
  /** Names in the order they were installed in. */
  readonly installs: string[] = []
  readonly environment = new Map<string, string>()
  readonly traces: (readonly [action: string | undefined, untilMs: number])[] = []
  readonly runs: (readonly [name: string, request: RunRequest])[] = []
  /** Why actions and models were stopped, by name. */
  readonly stopped = new Map<string, string>()
  report: RunReport = {
    action: 'A',
    traceId: 'trace-1',
    trigger: { topic: null, payload: null, clientId: null },
    timing: { startUtc: '', endUtc: '', durationMs: 1 },
    published: [{ topic: 'out', payload: '1' }],
    result: 'success',
    error: null,
  }

  async install(definitions: readonly RunnableDefinition[]): Promise<void> {
    for (const definition of definitions) {
      this.installed.set(`${definition.kind}/${definition.name}`, definition)
      this.installs.push(definition.name)
    }
  }

  async remove(entities: readonly EntityRef[]): Promise<void> {
    for (const { kind, name } of entities) this.installed.delete(`${kind}/${name}`)
  }

  async setEnvironment(changes: readonly EnvironmentChange[]): Promise<void> {
    for (const { secret, name, value } of changes) {
      const key = `${secret ? 'secret' : 'env'}/${name}`
      if (value === undefined) this.environment.delete(key)
      else this.environment.set(key, value)
    }
  }

  async runAction(name: string, request: RunRequest): Promise<RunReport> {
    this.runs.push([name, request])
    return this.report
  }

  async trace(action: string | undefined, untilMs: number): Promise<void> {
    this.traces.push([action, untilMs])
  }

  async state({ kind, name }: EntityRef): Promise<EntityState | undefined> {
    if (!this.installed.has(`${kind}/${name}`)) return undefined
    const never = { lastRunUtc: undefined, lastError: undefined, nextRunUtc: undefined }
    const counts = { runs: 0, failures: 0, dropped: 0, waiting: 0, averageRunMicros: 0 }
    return { ...counts, ...never, stopped: this.stopped.get(name) }
  }

  names(): string[] {
    return [...this.installed.keys()].sort()
  }
}

export interface Envelope {
  readonly success: boolean
  readonly command?: string
  readonly requestId?: string
  readonly message: string
  readonly entityType?: string
  readonly entityName?: string
  readonly data: unknown
  readonly errors?: readonly {
    readonly message: string
    readonly line?: number
    readonly column?: number
    readonly sourceLines?: readonly { readonly line: number; readonly text: string }[]
    readonly suggestions?: readonly string[]
  }[]
  readonly warnings: readonly string[]
}

export class TestCentre {
  readonly store = new RememberingStore()
  readonly lot = new RememberingLot()
  readonly clock = new ManualClock()
  readonly published: InternalPublish[] = []
  readonly retained = new Map<string, string>()
  readonly log: LogRecord[] = []
  centre!: CommandCentre

  constructor(
    readonly folder: string,
    private readonly config: Partial<BrokerConfigInput>,
    private readonly options: Partial<CentreOptions>,
  ) {}

  /** Also for a second start over the same store. */
  async start(): Promise<void> {
    this.centre = new CommandCentre({
      config: BrokerConfig.parse({ ...this.config, dataDirectory: this.folder }),
      log: createSinkLogger({ level: 'trace', areas: {} }, (record) => this.log.push(record)),
      clock: this.clock,
      environment: {},
      lot: this.lot,
      store: this.store,
      publish: async (messages) => this.#take(messages),
      ...this.options,
    })
    await this.centre.start()
    await this.centre.startProjects()
  }

  #take(messages: readonly InternalPublish[]): void {
    for (const message of messages) {
      this.published.push(message)
      if (!message.retain) continue
      const topic = message.topic.slice(SYS_PREFIX.length)
      if (message.payload.length === 0) this.retained.delete(topic)
      else this.retained.set(topic, Buffer.from(message.payload).toString())
    }
  }

  /** Sends a command and gives its answer. @param sender the broker itself where left out */
  readonly send = async (text: string, sender?: Identity): Promise<Envelope> => {
    const before = this.outputs().length
    await this.centre.execute(text, sender)
    return JSON.parse(this.outputs()[before]) as Envelope
  }

  /** All answers until now, as they went out. */
  outputs(): string[] {
    return this.published
      .filter(({ topic }) => topic === OUTPUT_TOPIC)
      .map(({ payload }) => Buffer.from(payload).toString())
  }

  retainedBelow(prefix: string): string[] {
    return [...this.retained.keys()].filter((topic) => topic.startsWith(prefix)).sort()
  }
}

export async function startCentre(
  t: Test,
  config: Partial<BrokerConfigInput> = {},
  options: Partial<CentreOptions> = {},
): Promise<TestCentre> {
  const test = new TestCentre(t.testdir({}), config, options)
  await test.start()
  return test
}
