/** For tests: plays examples of the documentation with the broker's own host, runners and Python. */
import type { Test } from 'tap'
import { silentLogger } from '../src/base/log.js'
import { BrokerConfig } from '../src/config/schema.js'
import type { EntityRef, RunnableDefinition } from '../src/contracts/lot.js'
import { splitEntities } from '../src/lot/syntax/split.js'
import { LotHostFixture } from '../src/lot-host/lot-host.fixture.js'
import { PythonScripts } from '../src/python/scripts.js'
import { isLike, type LotExample, type Step, type StepInput } from './lot-pages.fixture.js'

/** Every example begins then: a Thursday. Examples speak of UTC. */
const BEGIN_MS = Date.UTC(2026, 2, 5, 7, 8, 9)
const ENDPOINT = '192.0.2.7:50000'

export class LotPlayer {
  readonly #host: LotHostFixture
  readonly #python: PythonScripts
  #deployed: EntityRef[] = []

  constructor(t: Test) {
    process.env.TZ = 'UTC'
    this.#python = new PythonScripts({
      config: BrokerConfig.parse({}),
      folder: t.testdir({}),
      log: silentLogger,
      worker: new URL('../workers/python.js', import.meta.url),
      printed: () => {},
    })
    this.#host = new LotHostFixture({ onRunner: (port) => this.#python.attach(port) })
    t.teardown(async () => {
      await this.#host.close()
      await this.#python.stop()
    })
  }

  /** @returns what is not as the page says, in words */
  async play(example: LotExample): Promise<string[]> {
    await this.#host.host.remove(this.#deployed)
    await this.#host.reset()
    this.#moveTo(BEGIN_MS)
    for (const script of example.scripts) {
      const added = await this.#python.add(script)
      if (added.kind === 'refused') return [`${example.page}:${example.line} script: ${added.message}`]
    }
    const definitions = splitEntities(example.lot).map(({ kind, name, text }): RunnableDefinition => {
      if (kind !== 'action' && kind !== 'model') throw new Error(`a ${kind} does not run`)
      return { kind, name, source: text }
    })
    this.#deployed = definitions
    await this.#host.host.install(definitions)
    const problems: string[] = []
    for (const step of example.steps) {
      const outputs = step.input === undefined ? [] : await this.#act(step.input)
      await this.#host.settle()
      problems.push(...(await this.#compare(example, step, outputs)))
    }
    return problems
  }

  /** @returns what the step answers, as lines */
  async #act(input: StepInput): Promise<string[]> {
    const host = this.#host
    switch (input.kind) {
      case 'message':
        host.send(input.topic, input.payload)
        return []
      case 'later':
        this.#moveTo(host.clock.now() + input.ms)
        host.host.tick()
        return []
      case 'at':
        this.#moveTo(input.atMs)
        host.host.tick()
        return []
      case 'session': {
        const { hook, clientId, filter } = input
        const base = { clientId, user: '', endpoint: ENDPOINT }
        if (hook === 'connect') host.session({ hook, ...base, cleanSession: true })
        else if (hook === 'disconnect') host.session({ hook, ...base, reason: 'KeepAliveTimeout' })
        else host.session({ hook, ...base, filter, qos: 1 })
        return []
      }
      default: {
        const report = await host.host.runAction(input.name, { kind: 'inputs', inputs: input.inputs })
        return report.outputs === undefined ? [] : [`< outputs ${JSON.stringify(report.outputs)}`]
      }
    }
  }

  async #compare({ page }: LotExample, { line, expected }: Step, outputs: readonly string[]): Promise<string[]> {
    let actual: string[] = [...outputs]
    const wanted = expected.filter((one) => one.startsWith('!')).length
    // errors are told a little later where there are many
    for (const end = performance.now() + 5_000; ; ) {
      actual = [...actual, ...this.#told()]
      if (actual.filter((one) => one.startsWith('!')).length >= wanted || performance.now() > end) break
      await new Promise<void>((resolve) => setTimeout(resolve, 5))
      this.#host.takeAll()
    }
    const missing = expected.filter((one) => {
      const at = actual.findIndex((other) => isLike(one, other))
      if (at >= 0) actual.splice(at, 1)
      return at < 0
    })
    return [
      ...missing.map((one) => `${page}:${line} did not come: ${one}`),
      ...actual.map((one) => `${page}:${line} is not told of: ${one}`),
    ]
  }

  /** What was published since the last time, as lines of an example. */
  #told(): string[] {
    return this.#host.published.splice(0).flatMap(({ topic, payload, qos, retain, onlyRetain }) => {
      const error = /^\$SYS\/Coreflux\/(?:Actions|Models)\/(\w+)\/Error$/.exec(topic)
      if (error !== null) {
        const { message, line } = JSON.parse(payload === '' ? '{}' : payload) as { message?: string; line?: number }
        return message === undefined ? [] : [`! ${error[1]}, line ${line}: ${message}`]
      }
      if (topic.startsWith('$SYS')) return []
      const marks = [onlyRetain ? 'kept' : retain ? 'retained' : '', qos > 0 ? `QoS ${qos}` : '']
      const note = marks.filter((mark) => mark !== '').join(', ')
      return [`< ${topic}${payload === '' ? '' : ` ${payload}`}${note === '' ? '' : ` (${note})`}`]
    })
  }

  #moveTo(ms: number): void {
    this.#host.clock.advance(ms - this.#host.clock.now())
  }
}
