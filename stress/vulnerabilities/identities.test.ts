/** Client identifiers and user names are names, never patterns, paths or lines of a log. */
import { connectPacket } from '../support/client-packets.js'
import { behaviour } from '../support/statement.js'

const ODD = [
  '#',
  '+',
  '+/+',
  '%c',
  '*',
  '.',
  '../../etc/passwd',
  '$SYS',
  '$share/g/x',
  '$(x)',
  'a b',
  "' or 1=1",
  '\\',
  '__proto__',
  'constructor',
]

behaviour('tells sessions apart whose client identifiers match one another as patterns', async (_t, broker) => {
  const clients = []
  for (const odd of ['', ...ODD]) {
    clients.push(
      await broker.connect({ clientId: `${odd}${odd && broker.prefix}`, properties: { sessionExpiryInterval: 9 } }),
    )
  }
  for (const client of clients) await client.expectNothing() // none has taken over another
})

behaviour('keeps a session of its own for every odd client identifier', async (t, broker) => {
  const topic = broker.topic('a')
  const properties = { sessionExpiryInterval: 100 }
  for (const odd of ODD) {
    const clientId = broker.prefix + odd
    const first = await broker.connect({ clientId, properties })
    t.equal(first.connack!.sessionPresent, false, odd)
    await first.subscribe(`${topic}/${ODD.indexOf(odd)}`, { qos: 1 })
    await first.disconnect()
  }
  for (const odd of ODD) {
    await broker.publish(`${topic}/${ODD.indexOf(odd)}`, odd, { qos: 1 })
    const second = await broker.connect({ clientId: broker.prefix + odd, cleanStart: false, properties })
    t.equal(second.connack!.sessionPresent, true, odd)
    await second.expectMessage(odd)
    await second.expectNothing()
  }
})

behaviour('takes user names for no others, and without an effect on topics', async (_t, broker) => {
  const watcher = await broker.connect()
  await watcher.subscribe(broker.topic('a'))
  for (const userName of [...ODD, 'u'.repeat(255)]) {
    const client = await broker.connect(await broker.addUser(userName))
    await client.publish(broker.topic('b'), 'elsewhere')
  }
  await watcher.expectNothing()
})

behaviour(
  'admits nobody by a name or a password that nobody has',
  { config: { limits: { ban: { local: true, failuresMax: 0 } } } }, // failures are answered at once
  async (_t, broker) => {
    const { userName, password } = await broker.addUser('bob')
    for (const other of [...ODD, '', 'u'.repeat(65_535)]) {
      await broker.expectRefusal({ userName: other, password }, 0x86)
    }
    for (const wrong of ['', password.slice(0, -1), [0x00, 0xff], Buffer.alloc(65_535)]) {
      await broker.expectRefusal({ userName, password: wrong }, 0x86)
    }
    await broker.connect({ userName, password })
  },
)

behaviour('keeps control characters of a client identifier out of its log', async (t, broker) => {
  for (const clientId of ['a\nERROR forged', 'a\r\n{"level":"error"}', '\u001b[2J', '\u202egnp.exe']) {
    const client = await broker.open()
    client.send(connectPacket({ clientId: broker.prefix + clientId }), [0x00, 0x00])
    await client.takePacket('connack').catch(() => {}) // refusing it is right too
  }
  await broker.settle()
  t.notOk(broker.logged.some(({ message }) => /[\n\r\u001b\u202e]/.test(message)))
})

behaviour('refuses a client identifier longer than its limit, counted in bytes', async (t, broker) => {
  const limit = 1_024
  const start = broker.clientIdOf('')
  const longest = start.padEnd(limit, 'x')
  const tooLong = [`${longest}x`, start + 'ä'.repeat((limit - start.length) / 2 + 1), 'x'.repeat(65_535)]
  for (const version of [4, 5] as const) {
    await broker.connect({ version, clientId: longest })
    for (const clientId of tooLong) {
      const client = await broker.open({ version })
      client.sendConnect({ clientId })
      const connack = await client.expectRefused(version === 5 ? 0x85 : 2)
      t.ok(connack, 'the client is told')
    }
  }
})
