/** Requests that somebody else has passed on: their sockets do not say where they come from. */
import type { IncomingHttpHeaders } from 'node:http'

const FIELDS: ReadonlySet<string> = new Set(['forwarded', 'via', 'x-real-ip', 'x-client-ip', 'true-client-ip'])

/** Whether a proxy says so (RFC 7239, RFC 9110 §7.6.3, and what proxies wrote before). What it says is not believed. */
export function isForwarded(headers: IncomingHttpHeaders): boolean {
  return Object.keys(headers).some((name) => FIELDS.has(name) || name.startsWith('x-forwarded-'))
}
