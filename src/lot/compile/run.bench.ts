/** How fast compiled LoT runs. `node dist/src/lot/compile/run.bench.js` prints runs per second of one thread. */
import { pathToFileURL } from 'node:url'
import type { Effect, Occasion, World } from '../program.js'
import { bytes, deploy, TestWorld } from './program.fixture.js'

const LOT = `DEFINE ACTION Alarm
ON TOPIC "plant/+/temperature" DO
    SET "celsius" WITH PAYLOAD AS DOUBLE
    IF {celsius} > 20 THEN
        PUBLISH TOPIC "alarm/" + TOPIC POSITION 2 WITH {celsius}

DEFINE ACTION Report
ON TOPIC "plant/+/temperature" DO
    SET "limit" WITH GET TOPIC "plant/+/limit" AS DOUBLE
    SET "value" WITH GET JSON "value" IN PAYLOAD
    IF {value} > {limit} AND {limit} > 0 THEN
        PUBLISH TOPIC "report/+" WITH { "value": {value}, "limit": {limit}, "alarm": true }

DEFINE MODEL Machine COLLAPSED WITH TOPIC "clean/+/state"
    ADD DOUBLE "celsius" WITH TOPIC "plant/+/temperature" AS TRIGGER
    ADD STRING "machine" WITH (TOPIC POSITION 2)
    ADD STRING "phase" WITH (IF celsius > 20 THEN "hot" ELSE "cold")
    ADD INT "count" WITH (count + 1)
    ADD DOUBLE "fahrenheit" WITH (celsius * 1.8 + 32)
`

/** Hundred payloads over and over, so that nothing is the same from run to run. */
const TOPIC = 'plant/press4/temperature'
const CAPTURES = ['press4']
const NUMBERS = Array.from({ length: 100 }, (_, i): Occasion => {
  return { topic: TOPIC, payload: bytes(String(20 + i / 8)), captures: CAPTURES }
})
const OBJECTS = Array.from({ length: 100 }, (_, i): Occasion => {
  return { topic: TOPIC, payload: bytes(`{"id":"press4","value":${20 + i / 8}}`), captures: CAPTURES }
})

export interface Rate {
  readonly name: string
  readonly perSecond: number
}

/** @param runs of each program */
export function run(runs: number): Rate[] {
  const world = new TestWorld()
  const limit = bytes('15')
  world.lastValue = () => limit
  deploy(world, LOT)
  return [
    { name: 'action: cast, compare, publish', perSecond: actionRate(world, 'Alarm', NUMBERS, runs) },
    { name: 'action: GET JSON, GET TOPIC, JSON body', perSecond: actionRate(world, 'Report', OBJECTS, runs) },
    { name: 'COLLAPSED model of five fields', perSecond: modelRate(world, runs) },
  ]
}

function actionRate(world: TestWorld, name: string, occasions: readonly Occasion[], runs: number): number {
  const action = world.actions.get(name)
  if (action === undefined) throw new Error(`${name} is not there`)
  const warnings: string[] = []
  return rate(runs, (effects, count) => action.run(world, occasions[count % 100], effects, warnings))
}

function modelRate(world: TestWorld, runs: number): number {
  const instance = world.models.get('Machine')?.open(CAPTURES, undefined)
  if (instance === undefined) throw new Error('the model is not there')
  const plain: World = world
  return rate(runs, (effects, count) => instance.receive(plain, NUMBERS[count % 100], effects))
}

/** Effects are taken away in batches, as a runner does. */
function rate(runs: number, work: (effects: Effect[], count: number) => void): number {
  let payloadBytes = 0
  let effects: Effect[] = []
  // Time of the processor, since other programs may use the machine too.
  const started = process.cpuUsage()
  for (let count = 0; count < runs; count++) {
    work(effects, count)
    if (effects.length < 100) continue
    for (const effect of effects) if (effect.kind === 'publish') payloadBytes += effect.payload.length
    effects = []
  }
  const { user, system } = process.cpuUsage(started)
  if (payloadBytes + effects.length === 0) throw new Error('nothing was published')
  return Math.round((runs * 1e6) / (user + system))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  run(200_000)
  for (const { name, perSecond } of run(1_000_000)) {
    console.log(`${name.padEnd(40)} ${(perSecond / 1e6).toFixed(2).padStart(6)} M/s`)
  }
}
