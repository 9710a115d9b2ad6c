import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openSecretKey } from '../base/secret-key.js'
import { IdentitiesFile } from '../commands/identities-file.js'
import { BrokerConfig } from '../config/schema.js'
import { secretKeyPlace } from '../config/secret-key-place.js'
import { checkUsers } from './check-users.js'

t.test('a user that stands for clients without a user name has to exist', async (t) => {
  const dataDirectory = t.testdir({})
  const config = BrokerConfig.parse({
    dataDirectory,
    listeners: [
      { type: 'tcp', port: 1, anonymousUser: 'guest' },
      { type: 'tcp', port: 2, anonymousUser: 'root' },
      { type: 'tcp', port: 3, anonymousUser: 'guest' },
      { type: 'tcp', port: 4, anonymousUser: 'nobody', anonymous: 'deny' },
      { type: 'tcp', port: 5 },
    ],
  })
  const found = (): readonly string[] =>
    checkUsers(config, {}).map(({ severity, message }) => `${severity}: ${message}`)
  const missing = [/^warning: "anonymousUser" names "guest", and there is no such user/]
  t.match(found(), missing, 'no broker was ever started here')
  t.equal(found().length, 1)
  const key = openSecretKey(secretKeyPlace(config, {}))
  const file = new IdentitiesFile(dataDirectory, key)
  await file.write({
    version: '1.a',
    definitions: [
      ['user/root', '{}'],
      ['rule/guest', '{}'],
    ],
  })
  t.match(found(), missing)
  await file.write({
    version: '2.a',
    definitions: [
      ['user/guest', '{}'],
      ['user/root', '{}'],
    ],
  })
  t.same(found(), [])
  t.same(checkUsers({ ...config, listeners: config.listeners.slice(1, 2) }, {}), [])
  writeFileSync(join(dataDirectory, 'identities.json'), 'damaged')
  t.same(found(), [], 'nobody knows')
})
