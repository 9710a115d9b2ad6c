import { CommanderError } from 'commander'
import t from 'tap'
import { parseLoadOptions } from './options.js'

t.test('a scenario alone is enough', async (t) => {
  const options = parseLoadOptions(['--scenario', 'fan-out'])
  t.match(options, {
    scenario: { name: 'fan-out' },
    figures: { publishers: 1, subscribers: 50, qos: 0, seconds: 10, ratePerSecond: 0 },
    target: undefined,
    version: 4,
    isPersistent: false,
  })
})

t.test('every option arrives where it belongs', async (t) => {
  const text =
    '--scenario pairs --url ws://h:5000 --pid 7 --publishers 3 --subscribers 4 --qos 2 --payload 100 --seconds 1.5 ' +
    '--warmup 0 --rate 900 --window 17 --protocol 5 --persistent --connections 8 --json out.json --seed 99'
  t.match(parseLoadOptions(text.split(' ')), {
    figures: {
      publishers: 3,
      subscribers: 4,
      qos: 2,
      payloadBytes: 100,
      seconds: 1.5,
      warmupSeconds: 0,
      ratePerSecond: 900,
      window: 17,
      connections: 8,
    },
    target: { transport: 'ws', host: 'h', port: 5000 },
    pid: 7,
    version: 5,
    isPersistent: true,
    jsonFile: 'out.json',
    seed: 99,
  })
})

t.test('settings of our own broker are collected', async (t) => {
  const { brokerSettings } = parseLoadOptions(['--scenario', 'idle', '--set', 'a=1', '--set', 'b=2'])
  t.same(brokerSettings, ['a=1', 'b=2'])
})

t.test('misuse is refused with the option in the message', async (t) => {
  const cases: [string, RegExp][] = [
    ['', /--scenario/],
    ['--scenario nonsense', /pairs, fan-in/],
    ['--scenario pairs --qos 3', /--qos/],
    ['--scenario pairs --payload 11', /--payload/],
    ['--scenario pairs --seconds 0', /--seconds/],
    ['--scenario pairs --rate -1', /--rate/],
    ['--scenario pairs --window 1.5', /--window/],
    ['--scenario pairs --protocol 3', /3\.1\.1 or 5/],
    ['--scenario pairs --url http://h', /not a broker URL/],
    ['--scenario pairs --pid 5', /--pid needs --url/],
    ['--scenario pairs --url mqtt://h --set a=1', /leave out --url/],
    ['--scenario pairs --ca /does/not/exist --url mqtts://h', /cannot read/],
    ['--scenario pairs --unknown', /unknown/],
  ]
  const silence = t.intercept(process.stderr, 'write', { value: () => true, writable: true, configurable: true })
  for (const [text, expected] of cases) {
    t.throws(() => parseLoadOptions(text.split(' ').filter((word) => word !== '')), expected, text)
  }
  silence.restore()
})

t.test('help names every scenario and ends with status 0', async (t) => {
  const printed: string[] = []
  try {
    parseLoadOptions(['--help'], (text) => printed.push(text))
    t.fail('help returns to the caller')
  } catch (error) {
    t.ok(error instanceof CommanderError && error.exitCode === 0)
  }
  for (const name of ['pairs', 'one-per-second', 'idle', 'Exit status']) t.ok(printed.join('').includes(name), name)
})
