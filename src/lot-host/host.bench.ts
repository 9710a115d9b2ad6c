/** How many messages go through the LoT thread and one entity, rings and runners included: `node …/host.bench.js [messages]`. */
import { pathToFileURL } from 'node:url'
import { encodeText, hashBytes } from '../base/bytes.js'
import { LotHostFixture } from './lot-host.fixture.js'

const SENSORS = 100
/** Messages on their way at the same time: as many as a mailbox takes, and somewhat less. */
const WINDOW = 15_000
const BATCH = 500

const ACTION = `DEFINE ACTION Alarm
ON TOPIC "plant/+/temperature" DO
    SET "value" WITH PAYLOAD AS DOUBLE
    IF {value} > 20 THEN
        PUBLISH TOPIC "alarm/" + TOPIC POSITION 2 WITH {value}
    ELSE
        PUBLISH TOPIC "ok/" + TOPIC POSITION 2 WITH {value}
`

const MODEL = `DEFINE MODEL Machine COLLAPSED WITH TOPIC "machine/+"
    ADD DOUBLE "temperature" WITH TOPIC "plant/+/temperature" AS TRIGGER
    ADD STRING "id" WITH (TOPIC POSITION 2)
    ADD BOOL "hot" WITH (temperature > 20)
    ADD INT "count" WITH (count + 1)
    ADD STRING "state" WITH (IF hot THEN "alarm" ELSE "ok")
`

export interface Figure {
  readonly name: string
  readonly perSecond: number
}

/** @param messages of each entity */
export async function measure(messages: number): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const [name, source] of [
    ['action that casts, compares and publishes', ACTION],
    ['collapsed model of five fields', MODEL],
  ]) {
    const lot = new LotHostFixture()
    try {
      await lot.install(source)
      await run(lot, Math.min(messages, 20_000)) // until it is compiled
      const begun = performance.now()
      await run(lot, messages)
      figures.push({ name, perSecond: Math.round((messages / (performance.now() - begun)) * 1_000) })
    } finally {
      await lot.close()
    }
  }
  return figures
}

async function run(lot: LotHostFixture, messages: number): Promise<void> {
  let sent = 0
  let received = 0
  const records = Array.from({ length: SENSORS }, (_, n) => {
    const topic = encodeText(`plant/machine${n}/temperature`)
    const fields = [topic, encodeText((n / 2.5).toFixed(2)), encodeText('client'), new Uint8Array(0)]
    return { fields, hash: hashBytes(topic, 0, topic.length) }
  })
  lot.onPublish = () => {
    received++
  }
  while (received < messages) {
    for (let n = 0; n < BATCH && sent < messages && sent - received < WINDOW; n++, sent++) {
      const { fields, hash } = records[sent % SENSORS]
      lot.writeFields(fields, hash, {})
    }
    lot.takeAll()
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  lot.onPublish = undefined
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { name, perSecond } of await measure(Number(process.argv[2] ?? 500_000))) {
    process.stdout.write(`${name}: ${perSecond.toLocaleString('en-US')} messages/s\n`)
  }
}
