/** Mosquitto as a bridge between two of our brokers, as docs/bridges.md says. Skipped where it is not installed. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { InteropBroker } from './every-transport.fixture.js'
import { missing, publish, reach, Subscriber } from './mosquitto.fixture.js'

const READY = 'test/ready'
const noBroker = spawnSync('mosquitto', ['-h']).error === undefined ? false : 'mosquitto is not installed'

/** One that was free a moment ago: Mosquitto does not choose one by itself. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Mosquitto with a bridge to each broker; resolves when they are connected. @returns how its clients reach it */
async function startBridges(t: Test, version: string, brokers: readonly InteropBroker[]): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'merlot-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'mosquitto.conf')
  const bridges = brokers.flatMap((broker, number) => [
    `connection to-${number}`,
    `address 127.0.0.1:${broker.address('tcp').port}`,
    `bridge_protocol_version ${version}`,
    `remote_clientid bridge-${version}-${number}`,
    `topic ${version}/# both 2`,
    'restart_timeout 1',
  ])
  for (;;) {
    const port = await freePort()
    const way = ['-h', '127.0.0.1', '-p', String(port)]
    await writeFile(
      file,
      [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'log_dest none', ...bridges, ''].join('\n'),
    )
    const child = spawn('mosquitto', ['-c', file], { stdio: 'ignore' })
    t.teardown(() => child.kill('SIGKILL'))
    while (child.exitCode === null) {
      const count = String(brokers.length)
      const states = Subscriber.start(t, [...way, '-t', '$SYS/broker/connection/#', '-C', count, '-W', '1'])
      const found = await states.rest().catch(() => []) // it does not listen yet, or does not say enough
      if (found.length === brokers.length && found.every((line) => line.endsWith(' 1'))) return way
    }
  }
}

t.test('Mosquitto bridges two brokers both ways', { skip: missing || noBroker, timeout: 60_000 }, async (t) => {
  const brokers = [await InteropBroker.start(t), await InteropBroker.start(t)] as const
  const [here, there] = brokers.map((broker) => reach(broker, 'tcp')) as [string[], string[]]
  for (const way of [here, there]) await publish([...way, '-t', READY, '-m', 'x', '-q', '1', '-r'])

  for (const version of ['mqttv311', 'mqttv50']) {
    await t.test(version, async (t) => {
      const bridge = await startBridges(t, version, brokers)
      const watching = ['-q', '2', '-t', `${version}/#`]
      const [one, other] = [
        await Subscriber.ready(t, READY, [...here, ...watching]),
        await Subscriber.ready(t, READY, [...there, ...watching]),
      ]
      await publish([...here, '-t', `${version}/a`, '-m', 'x', '-q', '1', '-r'])
      t.equal(await other.next(), `${version}/a 1 0 x`)
      await publish([...there, '-t', `${version}/b`, '-m', 'y', '-q', '2', '-r'])
      t.equal(await one.next(), `${version}/a 1 0 x`)
      t.equal(await one.next(), `${version}/b 2 0 y`)
      await publish([...bridge, '-t', `${version}/end`, '-m', 'z', '-q', '2'])
      t.equal(await one.next(), `${version}/end 2 0 z`, 'nothing came twice')
      t.equal(await other.next(), `${version}/b 2 0 y`)
      t.equal(await other.next(), `${version}/end 2 0 z`, 'nor on the other side')
      for (const [way, topic] of [
        [here, 'b'],
        [there, 'a'],
      ] as const) {
        const late = Subscriber.start(t, [...way, '-t', `${version}/${topic}`, '-C', '1', '-W', '10'])
        t.match(await late.rest(), [new RegExp(`^${version}/${topic} 0 1 `)], 'what was retained is so there')
      }

      const lasting = [...here, '-c', '-i', `lasting-${version}`, '-q', '2', '-t', `${version}/queue`]
      await Subscriber.start(t, [...lasting, '-E']).rest()
      await brokers[0].stop()
      const numbers = Array.from({ length: 50 }, (_, number) => String(number))
      await publish([...there, '-t', `${version}/queue`, '-l', '-q', '2'], `${numbers.join('\n')}\n`)
      await brokers[0].startAgain()
      const again = Subscriber.start(t, [...lasting, '-C', '50', '-W', '30'])
      t.same(
        (await again.rest()).map((line) => line.split(' ').at(-1)),
        numbers,
        'what was sent while one broker was away comes once, in order',
      )
    })
  }
})
