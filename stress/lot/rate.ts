/**
 * How many messages a second go through an Action or a Model of a running broker: deploys it, publishes with QoS 0 at a
 * steady rate, and asks the broker how often it ran and what it dropped.
 *
 *     node dist/stress/lot/rate.js --port 1883 --entity action --rate 150000 --messages 1500000
 */
import { connect, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { connectPacket, publishPacket, subscribePacket } from '../support/client-packets.js'
import { LotUser, OUTPUT } from './lot-user.fixture.js'

const ENTITIES = {
  action: {
    name: 'RateAction',
    text: `DEFINE ACTION RateAction
ON TOPIC "rate/+/in" DO
    SET "t" WITH PAYLOAD AS DOUBLE
    IF {t} > 38 THEN
        PUBLISH TOPIC "rate/out" WITH {t} * 2
`,
  },
  model: {
    name: 'RateModel',
    text: `DEFINE MODEL RateModel COLLAPSED WITH TOPIC "rate/+/out"
    ADD DOUBLE "temp" WITH TOPIC "rate/+/in" AS TRIGGER
    ADD STRING "mode" WITH TOPIC "rate/+/mode"
    ADD INT "n" WITH (n + 1)
    ADD BOOL "hot" WITH (IF temp > 38 THEN true ELSE false)
    ADD STRING "ts" WITH TIMESTAMP "UTC"
`,
  },
} as const
type EntityKind = keyof typeof ENTITIES

const BATCH = 500
const QUIET_MS = 500

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '1883' },
    entity: { type: 'string', default: 'action' },
    rate: { type: 'string', default: '150000' },
    messages: { type: 'string', default: '1500000' },
  },
})
if (!(values.entity in ENTITIES)) throw new Error('--entity is action or model')
const kind = values.entity as EntityKind
const { name, text } = ENTITIES[kind]
const port = Number(values.port)
const messages = Number(values.messages)

async function open(clientId: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.write(connectPacket({ clientId, version: 4 }))
  await new Promise((resolve, reject) => socket.once('data', resolve).once('error', reject))
  return socket
}

async function send(socket: Socket, ratePerSecond: number): Promise<number> {
  const batch = Buffer.concat(new Array<Uint8Array>(BATCH).fill(publishPacket('rate/a/in', '39.5', { version: 4 })))
  const startMs = performance.now()
  for (let sent = 0; sent < messages; ) {
    const due = ((performance.now() - startMs) / 1_000) * ratePerSecond
    if (sent + BATCH > due) await new Promise((resolve) => setTimeout(resolve, 1))
    else {
      sent += BATCH
      if (!socket.write(batch)) await new Promise((resolve) => socket.once('drain', resolve))
    }
  }
  return performance.now() - startMs
}

const user = await LotUser.connect(port, { hears: [OUTPUT] })
await user.succeed(`-${kind === 'action' ? 'addAction' : 'addModel'} ${text}`)
const subscriber = await open('rate-subscriber')
subscriber.write(subscribePacket(1, [['rate/out'], ['rate/+/out']], { version: 4 }))
let bytes = 0
subscriber.on('data', (chunk: Buffer) => {
  bytes += chunk.length
})
const publisher = await open('rate-publisher')
const sendMs = await send(publisher, Number(values.rate))
for (let before = -1; before !== bytes; ) {
  before = bytes
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
}
const { data } = await user.command(`-lotDiagnostic ${kind} ${name}`)
const { runs, dropped } = data.runtime as { readonly runs: number; readonly dropped: number }
const rate = Math.round(messages / (sendMs / 1_000))
process.stdout.write(`${rate} messages/s sent, ${runs} runs, ${dropped} dropped, ${bytes} bytes delivered\n`)
await user.close()
publisher.destroy()
subscriber.destroy()
