import t from 'tap'
import { parseTarget } from './target.js'

t.test('URLs of brokers', async (t) => {
  const cases: [string, string, string, number, string][] = [
    ['mqtt://localhost', 'tcp', 'localhost', 1883, 'mqtt://localhost:1883'],
    ['tcp://10.0.0.1:77', 'tcp', '10.0.0.1', 77, 'tcp://10.0.0.1:77'],
    ['mqtts://example.com', 'tls', 'example.com', 8883, 'mqtts://example.com:8883'],
    ['mqtt://[::1]:1884', 'tcp', '::1', 1884, 'mqtt://[::1]:1884'],
    ['ws://h:5000', 'ws', 'h', 5000, 'ws://h:5000/mqtt'],
    ['wss://h/broker?x=1', 'wss', 'h', 443, 'wss://h:443/broker?x=1'],
  ]
  for (const [text, transport, host, port, url] of cases) t.match(parseTarget(text), { transport, host, port, url })
})

t.test('credentials never stay in the URL that is printed', async (t) => {
  const target = parseTarget('mqtt://us%40er:pw@h:1')
  t.match(target, { userName: 'us@er', password: 'pw', url: 'mqtt://h:1' })
  t.match(parseTarget('mqtt://user:pw@h', { userName: 'other' }), { userName: 'other', password: 'pw' })
})

t.test('what is no broker URL is refused with an example', async (t) => {
  for (const text of ['', 'localhost:1883', 'http://h', 'mqtt:', '1883']) {
    t.throws(() => parseTarget(text), /write mqtt:\/\/HOST:PORT/, text)
  }
})
