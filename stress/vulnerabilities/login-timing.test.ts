/** Whether a user exists is nothing that strangers learn from how long the answer takes. */
import t from 'tap'
import { silentLogger } from '../../src/base/log.js'
import { ManualClock } from '../../src/base/manual-clock.fixture.js'
import { BrokerConfig } from '../../src/config/schema.js'
import { createAuthenticator } from '../../src/security/broker-authenticator.js'
import { hashPassword } from '../../src/security/passwords.js'
import { connectAs, directoryOf, REMOTE } from '../../src/security/security.fixture.js'

/** Of each kind, alternately: what else the machine does concerns them alike. */
const ROUNDS = 15
/** A hash takes ten milliseconds; an answer without one, a hundredth of that. */
const RATIO_MAX = 1.6

t.test('a wrong password takes as long as a user that does not exist, or has no password', async (t) => {
  const directory = directoryOf(
    { name: 'known', passwordHash: await hashPassword('the right one'), scram: {} },
    { name: 'card', passwordHash: undefined, scram: {} },
  )
  const authenticator = createAuthenticator({
    config: BrokerConfig.parse({}),
    clock: new ManualClock(),
    log: silentLogger,
    directory,
    controlToken: undefined,
    hashesAtOnce: 1,
  })
  const names = ['known', 'unknown', 'card', 'root']
  const times = new Map(names.map((name) => [name, [] as number[]]))
  const answers = new Set<string>()
  for (let round = -2; round < ROUNDS; round++) {
    for (const name of names) {
      const start = performance.now()
      const answer = await authenticator.admit(connectAs(name, `guess ${round}`), REMOTE)
      const took = performance.now() - start
      answers.add(JSON.stringify(answer))
      if (round >= 0) times.get(name)!.push(took)
    }
  }
  t.equal(answers.size, 1, 'the same answer for all')
  t.match([...answers].join(), '"reasonCode":134')
  // the least of each: other work on the machine only adds
  const least = names.map((name) => Math.min(...times.get(name)!))
  const ratio = Math.max(...least) / Math.min(...least)
  t.ok(ratio < RATIO_MAX, `least of ${names.join(', ')}: ${least.map((ms) => ms.toFixed(1)).join(', ')} ms`)
})
