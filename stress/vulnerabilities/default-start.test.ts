/** What a broker that nobody has configured shows to others. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import t from 'tap'
import { BrokerConfig } from '../../src/config/schema.js'
import { subscribePacket } from '../support/client-packets.js'
import { PASSWORD, SecuredBroker } from './secured-broker.fixture.js'

const NOT_AUTHORIZED = 0x87
/** Failed logins on this machine that are answered at once, within so many milliseconds; others wait for their answer. */
const AT_ONCE = 3
const WINDOW_MS = 60_000
/** Of /proc/net/tcp. */
const LISTENING = '0A'

/** As configured by default; ports are free ones, since others on this machine may have taken the usual ones. */
const listeners = BrokerConfig.parse({}).listeners.map((listener) => ({ ...listener, port: 0 }))

const broker = await SecuredBroker.start(t, ['ann'], { listeners })

/** Addresses, as hexadecimal digits in the byte order of the machine, that this process listens on. */
function listeningAddresses(): readonly string[] {
  const sockets = new Set<string>()
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${name}`))?.[1]
      if (inode !== undefined) sockets.add(inode)
    } catch {
      // the descriptor that read the folder is gone by now
    }
  }
  const lines = ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((table) => {
    const all = readFileSync(`/proc/self/net/${table}`, 'utf8').trim().split('\n').slice(1)
    return all.map((line) => ({ fields: line.trim().split(/\s+/), isUdp: table.startsWith('udp') }))
  })
  return lines
    .filter(({ fields, isUdp }) => sockets.has(fields[9]!) && (isUdp || fields[3] === LISTENING))
    .map(({ fields }) => fields[1]!.split(':')[0]!)
}

function isLoopback(hex: string): boolean {
  if (hex.length === 8) return hex.endsWith('7F') // little-endian: 127.x.x.x
  return hex === '00000000000000000000000001000000' || /^0{16}FFFF0000.{6}7F$/.test(hex)
}

t.test('every socket that listens is reached from this machine alone', async (t) => {
  for (const { host } of broker.running.listeners) t.match(host, /^(127\.\d+\.\d+\.\d+|::1|localhost)$/)
  if (process.platform !== 'linux') return
  const addresses = listeningAddresses()
  t.ok(addresses.length >= broker.running.listeners.length, 'they are found')
  for (const address of addresses) t.ok(isLoopback(address), address)
})

t.test('a client without a user reads nothing of the broker, commands nothing, and is no user', async (t) => {
  const nobody = await broker.clients.connect()
  for (const filter of ['$SYS/#', '$SYS/broker/uptime', '$SYS/Coreflux/Config/Users', '$share/g/$SYS/#']) {
    const packetId = nobody.nextPacketId()
    nobody.send(subscribePacket(packetId, [[filter, { qos: 0 }]]))
    t.same((await nobody.takePacket('suback', packetId)).reasonCodes, [NOT_AUTHORIZED], filter)
  }
  await nobody.subscribe([
    ['#', { qos: 0 }],
    ['+/+', { qos: 0 }],
  ])
  for (const topic of ['$SYS/Coreflux/Command', '$SYS/Coreflux/Config/New', '$SYS/broker/uptime', '$any/topic']) {
    t.equal(await nobody.publish(topic, '-listUsers', { qos: 1 }), NOT_AUTHORIZED, topic)
  }
  await nobody.expectNothing()
})

t.test('no password that every installation has, and no name without one', async (t) => {
  const guesses = ['coreflux', 'root', 'admin', 'password', 'merlot', 'changeme', '', ' ', 'public', undefined]
  for (const userName of ['root', 'admin', 'ann']) {
    for (const [place, password] of guesses.entries()) {
      if (place % AT_ONCE === 0) await broker.clients.advance(WINDOW_MS)
      const client = await broker.clients.open()
      client.sendConnect({ clientId: 'guess', userName, password })
      t.ok(await client.expectRefused(0x86), `${userName} ${password}`)
    }
  }
  const root = await broker.as('root', { password: PASSWORD })
  t.equal(root.connack?.reasonCode, 0, 'the one that was given at the start')
  broker.clients.close()
})
