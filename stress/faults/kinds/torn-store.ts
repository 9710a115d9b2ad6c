import { cp, open, readdir, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../../src/base/errors.js'
import type { Random } from '../../load/random.js'
import { parseTarget } from '../../load/target.js'
import { Dialer } from '../../load/transport.js'
import type { BrokerProcess } from '../broker-process.js'
import { SessionClient } from '../session-client.js'
import { type FaultKind, type Scene, STORE_FILE } from './kind.js'

const PAGE_BYTES = 4_096
const PAGES_MAX = 8
const ADMITTED_MS = 10_000

/** How a store is damaged; the metas are its first two pages. */
type Damage = 'cut a few pages' | 'cut in half' | 'overwrite the last pages' | 'overwrite pages' | 'overwrite the metas'
const DAMAGES: readonly Damage[] = [
  'cut a few pages',
  'cut in half',
  'overwrite the last pages',
  'overwrite pages',
  'overwrite the metas',
]
/** With this nothing can be read any more; the others may hit what is not in use. */
const HOPELESS: Damage = 'overwrite the metas'
/** Sessions whose return makes the broker read what it has stored for them. */
const RETURNING = ['online-5', 'absent-5', 'absent-4', 'slow-5', 'member-0']
const READING_MS = 500

/**
 * A copy of the store is damaged, and a second broker is started on it: it must come up, put the store aside when it
 * cannot read it, and say so. The run itself goes on with the store as it was.
 */
export const tornStore: FaultKind = {
  name: 'torn',
  async strike(scene, random) {
    await scene.kill()
    const copy = join(scene.folder, 'torn')
    await rm(copy, { recursive: true, force: true })
    await cp(scene.broker.dataFolder, copy, { recursive: true })
    await scene.start()
    const damage = DAMAGES[random.integer(DAMAGES.length)]
    const complain = (text: string): void => scene.ledger.violations.add('fault', `torn store (${damage}): ${text}`)
    try {
      await damageFile(join(copy, STORE_FILE), damage, random)
      await tryBroker(scene, copy, damage, complain)
    } catch (error) {
      complain(messageOf(error))
    }
    await rm(copy, { recursive: true, force: true })
  },
}

async function damageFile(path: string, damage: Damage, random: Random): Promise<void> {
  await using file = await open(path, 'r+')
  const { size } = await file.stat()
  const pages = Math.floor(size / PAGE_BYTES)
  const some = 1 + random.integer(PAGES_MAX)
  const garble = async (page: number): Promise<void> => {
    const noise = Uint8Array.from({ length: PAGE_BYTES }, () => random.integer(256))
    if (page >= 0 && page < pages) await file.write(noise, 0, PAGE_BYTES, page * PAGE_BYTES)
  }
  switch (damage) {
    case 'cut a few pages':
      return truncate(path, Math.max(0, pages - some) * PAGE_BYTES)
    case 'cut in half':
      return truncate(path, Math.floor(pages / 2) * PAGE_BYTES + random.integer(PAGE_BYTES))
    case 'overwrite the last pages':
      for (let nth = 1; nth <= some; nth++) await garble(pages - nth)
      return
    case 'overwrite pages':
      for (let nth = 0; nth < some; nth++) await garble(2 + random.integer(Math.max(1, pages - 2)))
      return
    case 'overwrite the metas':
      await garble(0)
      await garble(1)
  }
}

async function tryBroker(scene: Scene, data: string, damage: Damage, complain: (text: string) => void): Promise<void> {
  const broker = scene.makeBroker(data)
  try {
    await broker.start()
    await admit(scene, broker, complain)
    if (!broker.isRunning) complain(`the broker ended by itself: ${broker.output.slice(-1_000)}`)
    const aside = await readdir(join(data, 'quarantine')).catch(() => [])
    const says = /quarantine/.test(broker.output)
    if (damage === HOPELESS && aside.length === 0) complain('nothing was put into quarantine')
    if (aside.length > 0 && !says) complain('the output does not speak of the quarantine')
    scene.note(`torn store (${damage}): ${aside.length === 0 ? 'opened as it was' : 'put aside'}`)
  } finally {
    const ending = await broker.stop()
    if (ending !== 'status 0') complain(`the broker ended with ${ending}`)
  }
}

/** A newcomer with a lasting session, which is stored, and sessions that may be there or not. */
async function admit({ ledger, until }: Scene, broker: BrokerProcess, complain: (text: string) => void): Promise<void> {
  const site = {
    dialer: new Dialer(parseTarget(broker.url ?? '')),
    violations: ledger.violations,
    onWelcome: () => undefined,
    reconnectMs: () => 100,
    isExcused: false,
  }
  const role = { onConnected: () => undefined, onPublish: () => undefined, onAck: () => undefined }
  const clients = ['newcomer', ...RETURNING].map((clientId) => {
    return new SessionClient({ clientId, version: 5, isPersistent: true, receiveMaximum: 10 }, site, role)
  })
  for (const client of clients) client.join()
  try {
    const isIn = await until(() => clients.every((client) => client.isConnected), ADMITTED_MS)
    if (!isIn) complain('not all clients got in')
    else if (!(await clients[0].subscribe('newcomer/#', 1))) complain('the subscription of a newcomer was not answered')
    await new Promise((resolve) => setTimeout(resolve, READING_MS))
  } finally {
    for (const client of clients) client.leave()
  }
}
