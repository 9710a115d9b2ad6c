/** Opens a store as a broker would, reads all of it, confirms, and writes; for a process that may crash. */
import { BrokerError } from '../src/base/errors.js'
import { createSinkLogger } from '../src/base/log.js'
import { bytes } from './engine-cases.fixture.js'
import { openStore } from './store-folder.js'

const log = createSinkLogger({ level: 'silent', areas: {} }, () => {})
try {
  const store = openStore(process.argv[2], { bytesMax: 0, reserveBytes: 65_536 }, log)
  if (store.quarantined !== undefined) process.stdout.write(`quarantined: ${store.quarantined.reason}\n`)
  for (const table of store.engine.tables) for (const { key } of store.engine.range(table)) store.engine.get(table, key)
  store.confirm()
  for (let turn = 0; turn < 6; turn++) {
    store.engine.commit((transaction) => {
      for (let number = 0; number < 60; number++) {
        transaction.put(
          `table.${number % 3}`,
          bytes(`${turn}.${number}`),
          new Uint8Array(number % 7 === 0 ? 5_000 : 100),
        )
        transaction.delete(`table.${number % 3}`, bytes(`${turn - 3}.${number}`))
      }
    })
  }
  await store.close()
} catch (error) {
  if (!(error instanceof BrokerError && error.code === 'STORE_IN_USE')) throw error
  process.stdout.write(`STORE_IN_USE ${(error as BrokerError<'STORE_IN_USE'>).details.pid}\n`)
  process.exitCode = 1
}
