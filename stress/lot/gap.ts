/**
 * How long others wait while entities spin: deploys some whose regular expression does not end and one that echoes, sends
 * each of the former a message that harms it, and times the echo until all of them have been stopped.
 *
 *     node dist/stress/lot/gap.js --port 1883 --spinning 4
 */
import { parseArgs } from 'node:util'
import { LotUser } from './lot-user.fixture.js'

const ECHO = `DEFINE ACTION GapEcho
ON TOPIC "gap/ping" DO
    PUBLISH TOPIC "gap/pong" WITH PAYLOAD
`
const HARM = `${'a'.repeat(60)}!`
/** New threads take the places of those that were ended. */
const RECOVERY_MS = 2_000

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '1883' },
    spinning: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
  },
})
const names = Array.from({ length: Number(values.spinning) }, (_, index) => `GapSpin${index}`)
const errorTopic = (name: string): string => `$SYS/Coreflux/Actions/${name}/Error`

/** @returns the longest wait of an echo, and the usual one, in milliseconds */
async function round(user: LotUser, number: number): Promise<{ readonly longest: number; readonly median: number }> {
  for (const name of names) {
    await user.succeed(
      `-addAction DEFINE ACTION ${name}\nON TOPIC "gap/${name}" DO\n    PUBLISH TOPIC "gap/spun" WITH FILTER PAYLOAD USING REGEX "^(a+)+$"\n`,
    )
  }
  await user.answer('gap/ping', `${number} warm`, 'gap/pong')
  await new Promise((resolve) => setTimeout(resolve, RECOVERY_MS))
  user.heard.length = 0
  for (const name of names) user.client.publish(`gap/${name}`, HARM)
  const waits: number[] = []
  const isStopped = (name: string): boolean =>
    user.heard.some(({ topic, text }) => topic === errorTopic(name) && text !== '')
  for (let echo = 0; !names.every(isStopped); echo++) {
    const sent = performance.now()
    await user.answer('gap/ping', `${number} ${echo}`, 'gap/pong')
    waits.push(performance.now() - sent)
  }
  waits.sort((a, b) => a - b)
  return { longest: waits[waits.length - 1] ?? 0, median: waits[waits.length >> 1] ?? 0 }
}

const user = await LotUser.connect(Number(values.port), { hears: ['gap/#', '$SYS/#'] })
await user.succeed(`-addAction ${ECHO}`)
for (let number = 1; number <= Number(values.rounds); number++) {
  const { longest, median } = await round(user, number)
  process.stdout.write(`${names.length} spin: longest wait ${longest.toFixed(0)} ms, median ${median.toFixed(1)} ms\n`)
}
for (const name of [...names, 'GapEcho']) await user.succeed(`-removeAction ${name}`)
await user.close()
