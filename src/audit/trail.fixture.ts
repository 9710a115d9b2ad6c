/** For tests: a trail in a folder of its own, with a clock that stands still. */
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createSinkLogger, type LogRecord } from '../base/log.js'
import { ManualClock } from '../base/manual-clock.fixture.js'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import type { AuditRecord } from '../contracts/audit.js'
import { AuditKeys } from './audit-keys.js'
import type { WrittenRecord } from './audit-line.js'
import { queryTrail, type TrailQuery } from './query-trail.js'
import { Trail, type TrailOptions } from './trail.js'
import { type Verification, verifyTrail } from './verify-trail.js'

export const KEY = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'
export const KEYS = new AuditKeys(Buffer.from(KEY, 'hex'))

export class TestTrail {
  readonly clock = new ManualClock()
  readonly log: LogRecord[] = []
  readonly folder: string
  trail!: Trail

  constructor(
    t: Test,
    readonly audit: BrokerConfigInput['audit'] = {},
    readonly options: Partial<TrailOptions> = {},
  ) {
    this.folder = t.testdir({})
    t.teardown(() => this.trail?.close())
  }

  /** Also for a second start over the same folder. */
  async start(options: Partial<TrailOptions> = {}): Promise<void> {
    this.trail = new Trail({
      config: BrokerConfig.parse({ audit: { folder: this.folder, ...this.audit } }),
      clock: this.clock,
      log: createSinkLogger({ level: 'trace', areas: {} }, (record) => this.log.push(record)),
      key: { given: KEY, file: '' },
      ...this.options,
      ...options,
    })
    await this.trail.open()
  }

  /** Writes down one login for each name. */
  async logIn(...users: readonly string[]): Promise<void> {
    for (const user of users) this.trail.record(login(user))
    await this.trail.flush()
  }

  /** Of the trail, not those that are moved aside. */
  files(): string[] {
    return readdirSync(this.folder).filter((name) => name.endsWith('.jsonl'))
  }

  path(name = this.files().at(-1)!): string {
    return join(this.folder, name)
  }

  lines(name?: string): string[] {
    return readFileSync(this.path(name), 'utf8').split('\n').slice(0, -1)
  }

  /** What a crash leaves. */
  append(text: string): void {
    appendFileSync(this.path(), text)
  }

  async query(
    query: TrailQuery = {},
    { keys }: { keys: AuditKeys | undefined } = { keys: KEYS },
  ): Promise<WrittenRecord[]> {
    const found: WrittenRecord[] = []
    const unreadable = (file: string, reason: string): void => {
      throw new Error(`${file}: ${reason}`)
    }
    for await (const record of queryTrail(this.folder, keys, query, { unreadable })) found.push(record)
    return found
  }

  /** What each record is about: `login bob`, `start`. */
  async story(): Promise<string[]> {
    return (await this.query()).map(({ what, user, count }) => `${what} ${user}${count > 1 ? `x${count}` : ''}`.trim())
  }

  verify({ keys }: { keys: AuditKeys | undefined } = { keys: KEYS }): Promise<Verification> {
    return verifyTrail(this.folder, keys)
  }

  errors(): string[] {
    return this.log
      .filter(({ level }) => level === 'error')
      .map(({ fields, message }) => String(fields.finding ?? message))
  }
}

export function login(user: string, more: Partial<AuditRecord> = {}): AuditRecord {
  const address = '192.0.2.7:49152'
  return { kind: 'login', user, clientId: 'c1', address, what: 'connect', success: true, detail: '', ...more }
}

export async function startTrail(
  t: Test,
  audit?: BrokerConfigInput['audit'],
  options?: Partial<TrailOptions>,
): Promise<TestTrail> {
  const test = new TestTrail(t, audit, options)
  await test.start()
  return test
}
