/** Tests named by the statement of the specification that they show. `scripts/spec-coverage.ts` looks for their calls. */
import t, { type Test } from 'tap'
import type { BrokerConfigInput } from '../../src/config/schema.js'
import { NeedsOwnBroker, startTestBroker, type TestBroker } from './broker.js'

type Body = (t: Test, broker: TestBroker) => Promise<void>

interface StatementOptions {
  /** A broker of its own with this configuration, instead of the shared one. */
  readonly config?: BrokerConfigInput
}

/** Milliseconds after which a test is given up. */
const TIMEOUT_MS = 30_000

/** Of this process: the files that run in it one after the other share the broker, and count on. */
const own: { shared: Promise<TestBroker> | undefined; tests: number } = { shared: undefined, tests: 0 }

/** A statement of MQTT 5.0, or several that one scenario shows, for example `MQTT-3.3.4-9`. */
export function statement(numbers: string | readonly string[], title: string, body: Body): void
export function statement(
  numbers: string | readonly string[],
  title: string,
  options: StatementOptions,
  body: Body,
): void
export function statement(
  numbers: string | readonly string[],
  title: string,
  optionsOrBody: StatementOptions | Body,
  body?: Body,
): void {
  register('', numbers, title, optionsOrBody, body)
}

/** A statement of MQTT 3.1.1, whose numbering differs from that of MQTT 5.0. */
export function statement311(numbers: string | readonly string[], title: string, body: Body): void
export function statement311(
  numbers: string | readonly string[],
  title: string,
  options: StatementOptions,
  body: Body,
): void
export function statement311(
  numbers: string | readonly string[],
  title: string,
  optionsOrBody: StatementOptions | Body,
  body?: Body,
): void {
  register('3.1.1 ', numbers, title, optionsOrBody, body)
}

/** A rule of the specification that has no number, or behaviour that the specification leaves to the broker. */
export function behaviour(title: string, body: Body): void
export function behaviour(title: string, options: StatementOptions, body: Body): void
export function behaviour(title: string, optionsOrBody: StatementOptions | Body, body?: Body): void {
  register('', [], title, optionsOrBody, body)
}

function register(
  standard: string,
  numbers: string | readonly string[],
  title: string,
  optionsOrBody: StatementOptions | Body,
  maybeBody: Body | undefined,
): void {
  const options = typeof optionsOrBody === 'function' ? {} : optionsOrBody
  const body = typeof optionsOrBody === 'function' ? optionsOrBody : maybeBody
  if (body === undefined) throw new Error(`the test "${title}" has no body`)
  const marks = [numbers].flat().map((number) => `[${number}] `)
  own.tests += 1
  const prefix = `t${process.pid % 10_000}n${own.tests}`
  void t.test(`${standard}${marks.join('')}${title}`, { timeout: TIMEOUT_MS }, (test) =>
    run(test, options, prefix, body),
  )
}

async function run(test: Test, { config }: StatementOptions, prefix: string, body: Body): Promise<void> {
  try {
    const broker = (await (config ? startTestBroker(test, config) : sharedBroker())).scope(prefix)
    try {
      await body(test, broker)
    } finally {
      broker.close()
    }
  } catch (error) {
    if (!(error instanceof NeedsOwnBroker)) throw error
    test.pass('not run', { skip: error.message })
  }
}

function sharedBroker(): Promise<TestBroker> {
  own.shared ??= startTestBroker(t)
  return own.shared
}
