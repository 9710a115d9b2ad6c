/** Runs one example in a simulation of its own. */
import { encodeText } from '../base/bytes.js'
import { messageOf } from '../base/errors.js'
import { payloadBytes, payloadText } from '../lot-runner/reports.js'
import { compareMessages, type PublishedEffect, payloadIs } from './compare.js'
import { eventText } from './event-text.js'
import type { AnswerCall } from './simulated-world.js'
import { type SimulatedEvent, Simulator } from './simulator.js'
import type { Step, TestCase, TestFileContent } from './test-file.js'

/** Differences that are shown; the rest is counted. */
const LINES_MAX = 40

export interface CaseResult {
  readonly name: string
  /** In the test file. */
  readonly line: number
  /** Empty if all is as expected. */
  readonly differences: readonly string[]
}

export interface CaseTask {
  readonly file: Pick<TestFileContent, 'time' | 'env' | 'secrets' | 'python'>
  readonly compat: 'v1' | 'v2'
  readonly deploy: (simulator: Simulator) => void
  /** @returns where in the files it failed */
  readonly place: (event: SimulatedEvent) => string | undefined
  /** Of calls that the file has no answer to. */
  readonly answer: AnswerCall
}

export function runCase(test: TestCase, task: CaseTask): CaseResult {
  const run = new CaseRun(test, task)
  let differences: string[]
  try {
    differences = run.run()
  } catch (error) {
    differences = [messageOf(error)]
  }
  const hidden = differences.length - LINES_MAX
  if (hidden > 0) differences = [...differences.slice(0, LINES_MAX), `and ${hidden} more`]
  return { name: test.name, line: test.line, differences }
}

class CaseRun {
  readonly #simulator: Simulator
  readonly #differences: string[] = []
  /** Since the last look at them. */
  #messages: PublishedEffect[] = []
  readonly #failures: SimulatedEvent[] = []
  #outputs: Readonly<Record<string, string>> = {}

  constructor(
    readonly test: TestCase,
    readonly task: CaseTask,
  ) {
    const { time, env, secrets, python } = task.file
    this.#simulator = new Simulator({
      compat: task.compat,
      startMs: test.time ?? time,
      seed: 1,
      answer: (request) => {
        const isGiven = request.kind === 'python' && Object.hasOwn(python, request.target)
        return isGiven ? python[request.target] : task.answer(request)
      },
      onEvent: (event) => {
        if (event.kind === 'failure') this.#failures.push(event)
        else if (event.kind === 'effect' && event.effect.kind === 'publish') this.#messages.push(event.effect)
      },
    })
    const { world } = this.#simulator
    for (const [name, value] of Object.entries(env)) world.environmentValues.set(name, value)
    for (const [name, value] of Object.entries(secrets)) world.secrets.set(name, value)
  }

  run(): string[] {
    this.task.deploy(this.#simulator)
    for (const step of this.test.given) this.#do(step)
    this.#compare(this.test.expect)
    this.#checkState()
    this.#checkFailures()
    return this.#differences
  }

  #do(step: Step): void {
    const { publish, advance, connect, disconnect, subscribe, keep, env, secret, call, expect } = step
    const simulator = this.#simulator
    const { world } = simulator
    if (publish !== undefined) simulator.publish(publish.topic, payloadBytes(publish.payload))
    if (advance !== undefined) simulator.advanceTo(world.nowMs + advance)
    if (step.start) simulator.start()
    if (connect !== undefined) simulator.session({ hook: 'connect', ...connect })
    if (disconnect !== undefined) simulator.session({ hook: 'disconnect', ...disconnect })
    if (subscribe !== undefined) simulator.session({ hook: 'subscribe', ...subscribe })
    if (keep !== undefined) world.values.set(keep.topic, encodeText(keep.payload))
    for (const [name, value] of Object.entries(env ?? {})) world.environmentValues.set(name, value)
    for (const [name, value] of Object.entries(secret ?? {})) world.secrets.set(name, value)
    if (call !== undefined) this.#outputs = simulator.call(call.action, call.inputs) ?? {}
    if (expect !== undefined) this.#compare(expect)
  }

  #compare(expected: TestCase['expect']): void {
    this.#differences.push(...compareMessages(expected, this.#messages, this.test))
    this.#messages = []
  }

  #checkState(): void {
    const { world } = this.#simulator
    for (const [topic, expected] of Object.entries(this.test.kept)) {
      const bytes = world.lastValue(topic)
      const actual = bytes && payloadText(bytes)
      const isMet = expected === null ? actual === undefined : actual !== undefined && payloadIs(actual, expected)
      if (!isMet) this.#tell(`last value of ${topic}`, expected, actual)
    }
    for (const [name, expected] of Object.entries(this.test.environment)) {
      const actual = world.environment(name)
      if (actual !== (expected ?? undefined)) this.#tell(`environment variable ${name}`, expected, actual)
    }
    for (const [name, expected] of Object.entries(this.test.outputs ?? {})) {
      const actual = this.#outputs[name]
      if (actual !== expected) this.#tell(`output ${name}`, expected, actual)
    }
  }

  #tell(what: string, expected: unknown, actual: string | undefined): void {
    this.#differences.push(
      `- ${what}: ${expected === null ? 'none' : JSON.stringify(expected)}`,
      `+ ${what}: ${actual === undefined ? 'none' : JSON.stringify(actual)}`,
    )
  }

  /** Each failure answers to one expectation, and the other way round. */
  #checkFailures(): void {
    const missing = [...this.test.failures]
    for (const event of this.#failures) {
      const text = eventText(event)
      const found = missing.findIndex((part) => text.includes(part))
      if (found >= 0) missing.splice(found, 1)
      else {
        const place = this.task.place(event)
        this.#differences.push(`+ ${text}${place === undefined ? '' : ` (${place})`}`)
      }
    }
    for (const part of missing) this.#differences.push(`- a failure with ${JSON.stringify(part)}`)
  }
}
