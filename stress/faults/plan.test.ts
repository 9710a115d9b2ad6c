import t from 'tap'
import { parseFaultOptions } from './options.js'
import { KIND_NAMES, planFaults } from './plan.js'

const OPTIONS = { kills: 100, seed: 7, kinds: KIND_NAMES, delayMsMin: 20, delayMsMax: 1_500 }

t.test('a seed repeats a plan, another makes another', async (t) => {
  t.same(planFaults(OPTIONS), planFaults(OPTIONS))
  t.notSame(planFaults(OPTIONS), planFaults({ ...OPTIONS, seed: 8 }))
})

t.test('every kind occurs where there is room, delays keep to their bounds, full disks come last', async (t) => {
  for (let seed = 0; seed < 50; seed++) {
    const plan = planFaults({ ...OPTIONS, kills: KIND_NAMES.length, seed })
    t.same(plan.map(({ kind }) => kind).toSorted(), KIND_NAMES.toSorted())
    t.ok(plan.every(({ delayMs }) => delayMs >= 20 && delayMs <= 1_500))
    const large = planFaults({ ...OPTIONS, seed }).map(({ kind }) => kind)
    t.equal(large.lastIndexOf('process') < large.indexOf('full'), true)
  }
})

t.test('only the kinds that were asked for', async (t) => {
  t.ok(planFaults({ ...OPTIONS, kinds: ['pause'] }).every(({ kind }) => kind === 'pause'))
  t.same(planFaults({ ...OPTIONS, kills: 0 }), [])
})

t.test('options', async (t) => {
  t.match(parseFaultOptions([]), {
    kills: 200,
    delayMsMin: 20,
    delayMsMax: 1_500,
    ratePerSecond: 2_000,
    kinds: KIND_NAMES,
  })
  const args = '--kills 5 --seed 3 --shards 2 --kinds pause,process --duration-between 5-9 --rate 10 --json - --keep'
  t.same(parseFaultOptions(args.split(' ')), {
    kills: 5,
    seed: 3,
    shards: 2,
    kinds: ['pause', 'process'],
    delayMsMin: 5,
    delayMsMax: 9,
    ratePerSecond: 10,
    brokerSettings: [],
    keep: true,
    jsonFile: '-',
  })
})
