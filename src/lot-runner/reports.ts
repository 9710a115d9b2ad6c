/** What a run did, for `-runAction` and traces. */
import { isUtf8 } from 'node:buffer'
import { encodeText } from '../base/bytes.js'
import type { RunReport } from '../contracts/lot.js'
import type { RunFailure } from '../contracts/lot-batch.js'
import type { Effect } from '../lot/program.js'

const BASE64 = 'base64:'
const CONCEALED = '***'

/** A run whose times are taken. */
export interface Timed {
  readonly traceId: string
  /** Of the broker's clock. */
  readonly startMs: number
  /** Of the stopwatch. */
  readonly begun: number
}

export interface TriggerFacts {
  readonly topic: string | undefined
  readonly payload: Uint8Array | undefined
  readonly clientId: string | undefined
}

export function makeReport(
  action: string,
  timed: Timed,
  endMs: number,
  trigger: TriggerFacts,
  effects: readonly Effect[],
  warnings: readonly string[],
  failure: RunFailure | undefined,
  outputs: Readonly<Record<string, string>> | undefined,
): RunReport {
  return {
    action,
    traceId: timed.traceId,
    trigger: {
      topic: trigger.topic ?? null,
      payload: trigger.payload === undefined ? null : payloadText(trigger.payload),
      clientId: trigger.clientId || null,
    },
    timing: {
      startUtc: new Date(timed.startMs).toISOString(),
      endUtc: new Date(endMs).toISOString(),
      durationMs: Math.round((endMs - timed.startMs) * 1_000) / 1_000,
    },
    published: effects.flatMap((effect) =>
      effect.kind === 'publish' ? [{ topic: effect.topic, payload: payloadText(effect.payload) }] : [],
    ),
    ...(outputs === undefined ? {} : { outputs }),
    ...(warnings.length === 0 ? {} : { warnings: [...warnings] }),
    result: failure === undefined ? 'success' : 'error',
    error: failure?.message ?? null,
    ...(failure?.line === undefined ? {} : { line: failure.line }),
    ...(failure?.statement === undefined ? {} : { statement: failure.statement }),
  }
}

/** Text, or base64 where it is not UTF-8. */
export function payloadText(payload: Uint8Array): string {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length)
  return isUtf8(bytes) ? bytes.toString() : BASE64 + bytes.toString('base64')
}

/** What `payloadText` made. */
export function payloadBytes(text: string): Uint8Array {
  return text.startsWith(BASE64) ? Buffer.from(text.slice(BASE64.length), 'base64') : encodeText(text)
}

/** Puts stars in the place of secrets, also of those within JSON text. */
export function conceal(text: string, secrets: ReadonlySet<string>): string {
  let concealed = text
  for (const secret of secrets) {
    concealed = concealed.replaceAll(secret, CONCEALED).replaceAll(JSON.stringify(secret).slice(1, -1), CONCEALED)
  }
  return concealed
}

/** The report as it may be shown. */
export function concealReport(report: RunReport, secrets: ReadonlySet<string>): RunReport {
  if (secrets.size === 0) return report
  const { outputs, warnings, error } = report
  const shown = (text: string): string => conceal(text, secrets)
  return {
    ...report,
    published: report.published.map(({ topic, payload }) => ({ topic: shown(topic), payload: shown(payload) })),
    ...(outputs && { outputs: Object.fromEntries(Object.entries(outputs).map(([name, text]) => [name, shown(text)])) }),
    ...(warnings && { warnings: warnings.map(shown) }),
    error: error === null ? null : shown(error),
  }
}
