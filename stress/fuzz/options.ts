/** The command line of the fuzzer. */
import { parseArgs } from 'node:util'
import { parseTarget } from '../load/target.js'
import type { Target } from '../support/transport.js'

export interface FuzzCommand {
  /** undefined: start a broker of ours. */
  readonly target: Target | undefined
  readonly seed: number
  readonly first: number
  readonly iterations: number
  readonly concurrency: number
}

export const USAGE = `Usage: node dist/stress/fuzz/main.js [options]
  --url URL         broker to attack: mqtt://HOST:PORT or ws://HOST:PORT/PATH; without it one of ours is started
  --iterations N    attacks, each a connection of its own (default 10000)
  --seed N          repeats a run (default: another one every time; it is printed)
  --first N         number of the first attack (default 0)
  --concurrency N   hostile connections at the same time (default 16)

A broker that is attacked by --url must publish $SYS/broker/clients/connected to everybody and have no other clients.
Exit status: 0 when the broker went on serving, 1 when it failed, 2 for wrong options.`

/** @param args without the names of node and the program @throws Error that says what is wrong */
export function parseFuzzCommand(args: readonly string[], newSeed: () => number): FuzzCommand {
  const text = { type: 'string' } as const
  const options = { url: text, iterations: text, seed: text, first: text, concurrency: text }
  const { values } = parseArgs({ args: [...args], options, strict: true })
  return {
    target: values.url === undefined ? undefined : targetOf(values.url),
    seed: integer('--seed', values.seed, 0) ?? newSeed(),
    first: integer('--first', values.first, 0) ?? 0,
    iterations: integer('--iterations', values.iterations, 1) ?? 10_000,
    concurrency: integer('--concurrency', values.concurrency, 1) ?? 16,
  }
}

/** @throws RangeError for what is no broker URL, or one with TLS */
export function targetOf(url: string): Target {
  const { transport, host, port, url: complete } = parseTarget(url)
  if (transport !== 'tcp' && transport !== 'ws') throw new RangeError(`"${url}": the fuzzer speaks mqtt:// and ws://`)
  return { type: transport, host, port, path: new URL(complete).pathname }
}

function integer(name: string, value: string | undefined, least: number): number | undefined {
  if (value === undefined) return undefined
  if (!/^\d{1,10}$/.test(value) || Number(value) < least)
    throw new RangeError(`${name} must be a whole number >= ${least}`)
  return Number(value)
}
