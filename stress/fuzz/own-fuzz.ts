/** Attacks on a broker of ours in a process of its own, whose memory and log are watched as well. */
import { type OwnBroker, startOwnBroker } from '../load/own-broker.js'
import { RawClient } from '../support/raw-client.js'
import { ALONE } from './bystanders.js'
import { type FuzzOptions, type FuzzReport, fuzz } from './fuzz.js'
import { growthAfter, memoryOf } from './memory.js'
import { targetOf } from './options.js'

export interface OwnFuzzOptions extends Omit<FuzzOptions, 'target'> {
  readonly transport: 'mqtt' | 'ws'
}

export interface OwnFuzzReport extends FuzzReport {
  /** Between the end of the warm-up and the end of the run; undefined where the system does not tell. */
  readonly growthBytes: number | undefined
}

/** What attacks leave behind is bounded, and sessions end soon, so that memory must come back. */
const SETTINGS = [
  'log.level=error',
  'log.format=json',
  'sys.intervalSeconds=1',
  'session.expirySecondsMax=1',
  'session.queuedMessagesMax=1000',
  'retained.messagesMax=1000',
  'retained.bytesMax=4194304',
  'authentication.passwordBytesMin=6', // that of the corpus
  'limits.ban.local=true', // wrong passwords are answered at once...
  'limits.ban.failuresMax=0', // ...and no matter how many
]
/** The user of the corpus, and what the bystanders ask for. */
const COMMANDS = [
  '-addUser bob secret',
  '-addRule DEFINE RULE Count WITH PRIORITY 100 FOR SubscribeSys TO TOPIC "$SYS/broker/clients/connected"\n    ALLOW',
]
/** Growth after the first part of a run, in which code is compiled and heaps find their size. */
const GROWTH_BYTES_MAX = 96 * 1_048_576
const WARM_UP_SHARE = 0.3

/** @throws Error when the broker stops serving, ends, logs an error or keeps memory */
export async function fuzzOwnBroker(options: OwnFuzzOptions): Promise<OwnFuzzReport> {
  const broker = await startOwnBroker(SETTINGS)
  let report: OwnFuzzReport
  try {
    report = await attackAndWatch(broker, options)
  } catch (error) {
    await broker.stop()
    throw error
  }
  const ending = await broker.stop()
  if (ending !== 'status 0') throw new Error(`the broker ended with ${ending}: ${broker.output()}`)
  return report
}

async function attackAndWatch(broker: OwnBroker, options: OwnFuzzOptions): Promise<OwnFuzzReport> {
  const { iterations, seed, transport, onProgress } = options
  await prepare(broker)
  const listening = new RegExp(`listening on (${transport}://\\S+)`).exec(broker.output())
  if (listening === null) throw new Error(`the broker does not listen for ${transport}: ${broker.output()}`)
  let warmBytes: number | undefined
  const report = await fuzz({
    ...options,
    target: targetOf(listening[1]!),
    onProgress: async (done) => {
      if (done >= iterations * WARM_UP_SHARE) warmBytes ??= memoryOf(broker.pid)
      await onProgress?.(done)
    },
  })
  const growthBytes = warmBytes === undefined ? undefined : await growthAfter(broker.pid, warmBytes, GROWTH_BYTES_MAX)
  if (growthBytes !== undefined && growthBytes > GROWTH_BYTES_MAX) {
    throw new Error(`the broker keeps ${growthBytes} bytes more than before; repeat with --seed ${seed}`)
  }
  const errors = /^.*"level":"error".*$/m.exec(broker.output())
  if (errors !== null) throw new Error(`the broker logged an error; repeat with --seed ${seed}: ${errors[0]}`)
  return { ...report, growthBytes }
}

/** @throws Error that says which command failed */
async function prepare({ url, rootPassword }: OwnBroker): Promise<void> {
  const client = await RawClient.open(targetOf(url), ALONE)
  await client.connect({ clientId: 'owner', userName: 'root', password: rootPassword })
  await client.subscribe('$SYS/Coreflux/Command/Output')
  for (const command of COMMANDS) {
    await client.publish('$SYS/Coreflux/Command', command, { qos: 1 })
    const { text } = await client.takePacket('publish')
    if (!text.startsWith('{"success":true')) throw new Error(`${command}: ${text}`)
  }
  await client.disconnect()
}
