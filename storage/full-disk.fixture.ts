/** Fills a store until there is no room, deletes, and stores again; for a process with limits. */
import { bytes, isFull } from './engine-cases.fixture.js'
import { openLmdbEngine } from './lmdb-engine.js'

const engine = openLmdbEngine(process.argv[2], { bytesMax: 0, reserveBytes: 262_144 })
const value = new Uint8Array(3_000)

/** @returns how many could be stored */
function fill(prefix: string): number {
  for (let stored = 0; ; stored++) {
    try {
      engine.commit((transaction) => transaction.put('a', bytes(`${prefix}${stored}`), value))
    } catch (error) {
      if (!isFull(error)) throw error
      return stored
    }
  }
}

if (fill('first') < 400) throw new Error('too few were stored')
for (let number = 0; number < 200; number++) {
  engine.commit((transaction) => transaction.delete('a', bytes(`first${number}`)))
}
process.stdout.write(`full, 200 deleted, ${fill('second')} stored after\n`)
await engine.close()
