/** How fast PUBLISH is read and written. `node dist/src/mqtt/publish-codec.bench.js` prints packets per second. */
import { pathToFileURL } from 'node:url'
import type { ProtocolVersion, Qos } from './packets.js'
import { PublishView, readPublish } from './publish-codec.js'
import { encodePublishProperties } from './publish-properties.js'
import { encodePublish, publishFirstByte, publishRemainingLength, writePublishHead } from './publish-writer.js'

interface Scenario {
  readonly name: string
  readonly version: ProtocolVersion
  readonly qos: Qos
  readonly topic: string
  readonly properties: Uint8Array
}

const NO_PROPERTIES = new Uint8Array(0)
const SCENARIOS: readonly Scenario[] = [
  { name: '3.1.1, QoS 0, 12-byte topic', version: 4, qos: 0, topic: 'plant/0001/t', properties: NO_PROPERTIES },
  { name: '5, QoS 1, 12-byte topic', version: 5, qos: 1, topic: 'plant/0001/t', properties: NO_PROPERTIES },
  {
    name: '5, QoS 1, 48-byte topic',
    version: 5,
    qos: 1,
    topic: 'plant/0001/hall/02/line/03/'.padEnd(48, 'x'),
    properties: NO_PROPERTIES,
  },
  { name: '5, QoS 1, non-ASCII topic', version: 5, qos: 1, topic: 'werk/öl/1', properties: NO_PROPERTIES },
  {
    name: '5, QoS 1, 3 properties',
    version: 5,
    qos: 1,
    topic: 'plant/0001/t',
    properties: encodePublishProperties({ expirySeconds: 60, contentType: 'json', userProperties: [['unit', 'bar']] }),
  },
]

export interface Rates {
  readonly name: string
  readonly readsPerSecond: number
  readonly headsPerSecond: number
}

/** @param packets per scenario and direction */
export function run(packets: number): Rates[] {
  return SCENARIOS.map((scenario) => ({
    name: scenario.name,
    readsPerSecond: rate(packets, () => readMany(scenario, packets)),
    headsPerSecond: rate(packets, () => writeMany(scenario, packets)),
  }))
}

function rate(packets: number, work: () => number): number {
  const started = process.hrtime.bigint()
  if (work() === 0) throw new Error('no packet was processed')
  return Math.round((packets * 1e9) / Number(process.hrtime.bigint() - started))
}

/** Reads a buffer of 100 packets over and over, as a connection reads what one `read` gave it. */
function readMany({ version, qos, topic, properties }: Scenario, packets: number): number {
  const packet = encodePublish({ version, topic, qos, packetId: 1, payload: new Uint8Array(64), properties })
  const stream = Buffer.concat(Array<Uint8Array>(100).fill(packet))
  const view = new PublishView()
  const headerBytes = packet.length < 130 ? 2 : 3
  let bytes = 0
  for (let count = 0; count < packets; count += 100) {
    for (let start = 0; start < stream.length; start += packet.length) {
      readPublish(stream, stream[start], start + headerBytes, start + packet.length, version, view)
      bytes += view.payloadLength + (view.topicHash & 1)
    }
  }
  return bytes
}

function writeMany({ version, qos, topic, properties }: Scenario, packets: number): number {
  const source = Buffer.from(topic)
  const target = new Uint8Array(65_536)
  let bytes = 0
  for (let count = 0; count < packets; count++) {
    const remaining = publishRemainingLength(version, source.length, qos, properties.length, 64)
    bytes += writePublishHead(
      target,
      count & 0x7fff,
      publishFirstByte(qos, 0, 0),
      remaining,
      source,
      0,
      source.length,
      1,
    )
  }
  return bytes
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  run(1_000_000)
  for (const { name, readsPerSecond, headsPerSecond } of run(5_000_000)) {
    const millions = (perSecond: number): string => `${(perSecond / 1e6).toFixed(1).padStart(5)} M/s`
    console.log(`${name.padEnd(30)} read ${millions(readsPerSecond)}   write head ${millions(headsPerSecond)}`)
  }
}
