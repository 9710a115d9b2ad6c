/** The command line clients of Mosquitto, which many people try a broker with. Skipped where they are not installed. */
import t from 'tap'
import { InteropBroker } from './every-transport.fixture.js'
import { missing, publish, reach, Subscriber, transports, VERSIONS } from './mosquitto.fixture.js'

const READY = 'test/ready'

t.test('clients of Mosquitto', { skip: missing }, async (t) => {
  const broker = await InteropBroker.start(t)
  await publish([...reach(broker, 'tcp'), '-t', READY, '-m', 'x', '-q', '1', '-r'])

  for (const transport of transports) {
    for (const version of VERSIONS) {
      const way = [...reach(broker, transport), '-V', version]
      const topic = `${transport}/${version}`

      await t.test(`${transport}, ${version}: messages of each QoS`, async (t) => {
        const subscriber = await Subscriber.ready(t, READY, [...way, '-q', '2', '-t', `${topic}/#`])
        for (const qos of ['0', '1', '2']) {
          await publish([...way, '-t', `${topic}/${qos}`, '-m', `über ${qos}`, '-q', qos])
          t.equal(await subscriber.next(), `${topic}/${qos} ${qos} 0 über ${qos}`)
        }
      })

      await t.test(`${transport}, ${version}: retained messages`, async (t) => {
        const kept = `${topic}/kept`
        await publish([...way, '-t', kept, '-m', 'old', '-q', '1', '-r'])
        const first = Subscriber.start(t, [...way, '-q', '2', '-t', kept, '-C', '1'])
        t.same(await first.rest(), [`${kept} 1 1 old`])
        await publish([...way, '-t', kept, '-n', '-r'])
        const second = await Subscriber.ready(t, READY, [...way, '-t', kept, '-C', '2'])
        await publish([...way, '-t', kept, '-m', 'new', '-q', '1'])
        t.same(await second.rest(), [`${kept} 0 0 new`], 'nothing is retained any more')
      })

      await t.test(`${transport}, ${version}: a will`, async (t) => {
        const subscriber = await Subscriber.ready(t, READY, [...way, '-q', '1', '-t', `${topic}/will`])
        const will = ['--will-topic', `${topic}/will`, '--will-payload', 'gone', '--will-qos', '1']
        const mortal = await Subscriber.ready(t, READY, [...way, ...will])
        mortal.kill()
        t.equal(await subscriber.next(), `${topic}/will 1 0 gone`)
      })
    }
  }

  for (const version of VERSIONS) {
    const way = [...reach(broker, 'tcp'), '-V', version]

    await t.test(`${version}: a session that waits (-c)`, async (t) => {
      const session = [...way, '-c', '-i', `lasting-${version}`, '-q', '2', '-t', `queue/${version}`]
      await Subscriber.start(t, [...session, '-E']).rest() // ends when it is subscribed
      await publish([...way, '-t', `queue/${version}`, '-l', '-q', '1'], '1\n2\n3\n')
      await publish([...way, '-t', `queue/${version}`, '-l', '-q', '2'], '4\n5\n6\n')
      const again = Subscriber.start(t, [...session, '-C', '6'])
      t.same(
        (await again.rest()).map((line) => line.split(' ').at(-1)),
        ['1', '2', '3', '4', '5', '6'],
      )
    })

    await t.test(`${version}: 1,000 lines from standard input`, async (t) => {
      const lines = Array.from({ length: 1_000 }, (_, number) => `line ${number}`)
      for (const qos of ['0', '1', '2']) {
        const topic = `lines/${version}/${qos}`
        const subscriber = await Subscriber.ready(t, READY, [...way, '-q', '2', '-t', topic, '-C', '1001'])
        await publish([...way, '-t', topic, '-l', '-q', qos], `${lines.join('\n')}\n`)
        t.same(
          await subscriber.rest(),
          lines.map((line) => `${topic} ${qos} 0 ${line}`),
        )
      }
    })
  }

  await t.test('mqttv5: properties', async (t) => {
    const way = [...reach(broker, 'tcp'), '-V', 'mqttv5']
    const subscriber = Subscriber.start(t, [...way, '-t', 'p', '-C', '1', '-F', '%C|%R|%D|%P|%E|%p'])
    const properties = [
      ['content-type', 'text/plain'],
      ['response-topic', 'answers'],
      ['correlation-data', '42'],
      ['message-expiry-interval', '600'],
    ].flatMap(([name, value]) => ['-D', 'publish', name!, value!])
    const user = ['-D', 'publish', 'user-property', 'plant', 'A']
    await publish([...way, '-t', 'p', '-m', 'x', '-q', '1', '-r', ...properties, ...user])
    const [line] = await subscriber.rest()
    t.match(line, /^text\/plain\|answers\|42\|plant:A *\|(600|59\d)\|x$/)
  })
})
