/** A program that accepts connections, and answers bytes with the same bytes. Tells on standard output what it logs. */
import { createSinkLogger } from '../base/log.js'
import { RateLimitedLog } from '../base/log-rate.js'
import { createSharedCountsMemory, SharedCounts } from '../base/shared-counts.js'
import { BrokerConfig } from '../config/schema.js'
import { Counter, createCountersMemory, openCounters } from '../contracts/counters.js'
import { createTicketSecret } from '../contracts/ticket-keys.js'
import { DescriptorWatch } from './descriptor-watch.js'
import { Listeners } from './listeners.js'

const config = BrokerConfig.parse({ listeners: [{ type: 'tcp', port: 0 }] })
const tell = (line: object): boolean => process.stdout.write(`${JSON.stringify(line)}\n`)
const log = createSinkLogger({ level: 'info', areas: {} }, ({ message }) => tell({ message }))
const counters = openCounters(createCountersMemory())
const listeners = new Listeners({
  config,
  counters,
  log: new RateLimitedLog(log, Date.now),
  handshakes: new SharedCounts(createSharedCountsMemory(1, 1), 0),
  ticketSecret: createTicketSecret(),
  now: Date.now,
  events: {
    admit: () => true,
    released: () => {},
    accept(transport) {
      transport.open({
        onData: (bytes, length) => transport.write(Uint8Array.from(bytes.subarray(0, length)), () => {}),
        onDrain: () => {},
        onClose: () => {},
      })
    },
  },
})
const watch = new DescriptorWatch(counters, log)
tell({ port: await listeners.open(config.listeners[0], 0, false) })
setInterval(() => watch.check(Date.now()), 20)
process.once('SIGTERM', () => {
  tell({ shortages: counters[Counter.descriptorShortages] })
  process.exit()
})
