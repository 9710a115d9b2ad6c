import t from 'tap'
import { parseSoakOptions } from './options.js'

t.test('eight hours, a sample every minute', async (t) => {
  t.match(parseSoakOptions([]), { seconds: 28_800, sampleSeconds: 60, samplesFile: 'soak.jsonl', target: undefined })
})

t.test('short runs take samples more often', async (t) => {
  t.match(parseSoakOptions(['--minutes', '1']), { seconds: 60, sampleSeconds: 3 })
  t.match(parseSoakOptions(['--minutes', '1', '--sample-seconds', '2']), { seconds: 60, sampleSeconds: 2 })
})

t.test('all options', async (t) => {
  const text = '--hours 0.5 --rate 50 --samples s.jsonl --json - --url mqtts://h --pid 3 --protocol 5 --seed 4'
  t.match(parseSoakOptions(text.split(' ')), {
    seconds: 1_800,
    ratePerSecond: 50,
    samplesFile: 's.jsonl',
    jsonFile: '-',
    target: { transport: 'tls', host: 'h', port: 8883 },
    pid: 3,
    version: 5,
    seed: 4,
  })
})

t.test('misuse', async (t) => {
  const silence = t.intercept(process.stderr, 'write', { value: () => true, writable: true, configurable: true })
  t.throws(() => parseSoakOptions(['--hours', '1', '--minutes', '1']), /not both/)
  t.throws(() => parseSoakOptions(['--hours', '0']), /--hours/)
  t.throws(() => parseSoakOptions(['--rate', '5']), /--rate/)
  silence.restore()
})
