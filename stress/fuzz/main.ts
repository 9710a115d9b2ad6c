/** `node dist/stress/fuzz/main.js`: attacks a broker for as long as one likes. */
import { randomInt } from 'node:crypto'
import { messageOf } from '../../src/base/errors.js'
import { type FuzzReport, fuzz } from './fuzz.js'
import { type FuzzCommand, parseFuzzCommand, USAGE } from './options.js'
import { fuzzOwnBroker } from './own-fuzz.js'

const PROGRESS_MS = 2_000

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(`${USAGE}\n`)
    return 0
  }
  let command: FuzzCommand
  try {
    command = parseFuzzCommand(args, () => randomInt(2 ** 31))
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${USAGE}\n`)
    return 2
  }
  process.stdout.write(`seed ${command.seed}, attacks from ${command.first}\n`)
  try {
    const report = await run(command)
    process.stdout.write(`the broker went on serving: ${JSON.stringify(report)}\n`)
    return 0
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`)
    return 1
  }
}

function run({ target, ...options }: FuzzCommand): Promise<FuzzReport> {
  let lastMs = Date.now()
  const onProgress = (done: number) => {
    if (Date.now() - lastMs < PROGRESS_MS) return
    lastMs = Date.now()
    process.stderr.write(`${done} of ${options.iterations} attacks\n`)
  }
  return target === undefined
    ? fuzzOwnBroker({ ...options, transport: 'mqtt', onProgress })
    : fuzz({ ...options, target, onProgress })
}

function explain(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause === undefined ? messageOf(error) : `${messageOf(error)}\n  because ${explain(cause)}`
}

process.exitCode = await main(process.argv.slice(2))
