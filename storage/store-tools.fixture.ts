/** A store on disk as a broker leaves it: written by journal and writer, with a little of everything. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { encodePublishProperties, encodeSubscriptionIdentifiers } from '../src/mqtt/publish-properties.js'
import type { StoreEngine } from './engine.js'
import { openLmdbEngine } from './lmdb-engine.js'
import type { MemoryEngine } from './memory-engine.js'
import { loggedMessage, receiver, StoreParts, storedSession } from './store-parts.fixture.js'
import { migrate } from './store-version.js'

/** Whose the session `pump` is. */
export const OWNER = { userName: 'ann', address: '192.0.2.7', port: 49_152, claims: undefined }

export const ALIVE_MS = 1_750_000_000_000

/**
 * Sessions `pump` (64, offline, three messages) and `panel` (128, connected, one message); retained `r/1` and `r/2`.
 * @returns the data folder
 */
export async function writeStore(data: string): Promise<string> {
  const engine = openEngine(data)
  const parts = new StoreParts({ engine: engine as unknown as MemoryEngine, nowMs: ALIVE_MS })
  const { journal } = parts
  const will = { topic: 'w', payload: 'aGk=', qos: 1, retain: false, delaySeconds: 5, publishProperties: '' } as const
  journal.putSession({
    ...storedSession(64, 'pump'),
    disconnectedAtMs: ALIVE_MS - 5_000,
    expirySeconds: 3_600,
    will,
    owner: OWNER,
  })
  journal.putSession(storedSession(128, 'panel'))
  const options = { qos: 2, noLocal: true, retainAsPublished: false } as const
  journal.putSubscription(64, { filter: 'boiler/#', ...options, identifier: 7 })
  journal.putSubscription(64, { filter: '$share/g/jobs', ...options, noLocal: false, identifier: 0 })
  journal.putSubscription(128, { filter: 'boiler/+', ...options, identifier: 0 })

  const identifiers = encodeSubscriptionIdentifiers([7])
  journal.addReceiver({ ...receiver(64, 0, 2), retain: true, identifiers })
  const both = journal.addReceiver(receiver(128))
  const properties = encodePublishProperties({ contentType: 'text/plain', expirySeconds: 60 })
  journal.append(
    loggedMessage({ topic: 'boiler/1', payload: 'first', properties, expiresAtMs: ALIVE_MS + 60_000 }),
    undefined,
    0,
  )
  const released = journal.addReceiver(receiver(64, 9, 2))
  journal.append(
    loggedMessage({ topic: 'boiler/1', payload: new Uint8Array([0, 255, 1]), qos: 2 }),
    { session: 128, packetId: 300 },
    0,
  )
  journal.addReceiver({ ...receiver(64, 4), isShared: true })
  journal.append(loggedMessage({ topic: 'jobs', payload: 'third', qos: 1, retain: true }), undefined, 0)
  const done = journal.addReceiver(receiver(64))
  journal.append(loggedMessage({ topic: 'boiler/1', payload: 'over' }), undefined, 0)
  parts.commit()
  journal.sent(both, 1, 3)
  journal.released(released, 0, 9)
  journal.done(done, 0)
  journal.putRetained('r/1', loggedMessage({ topic: 'r/1', payload: 'one', retain: true, qos: 0 }), 1_000)
  journal.putRetained(
    'r/2',
    loggedMessage({ topic: 'r/2', payload: 'two', retain: true, properties, isKeepValue: true }),
    2_000,
  )
  parts.commit()
  await engine.close()
  return data
}

/** Opens or makes the store of a data folder. */
export function openEngine(data: string): StoreEngine {
  mkdirSync(data, { recursive: true })
  const folder = join(data, 'store')
  const engine = openLmdbEngine(folder, { bytesMax: 0, reserveBytes: 65_536 })
  migrate(engine, folder)
  return engine
}
