/** Users that the configuration names, and that the broker has to know. */
import { readSecretKey } from '../base/secret-key.js'
import { IdentitiesFile } from '../commands/identities-file.js'
import type { Finding } from '../config/finding.js'
import type { BrokerConfig } from '../config/schema.js'
import { secretKeyPlace } from '../config/secret-key-place.js'
import { USER_KEY } from '../contracts/definition-keys.js'
import { ROOT } from '../security/user-name.js'

/** Looks for them in the copy of users and rules, which is there while a broker has the store, too. */
export function checkUsers(
  config: BrokerConfig,
  environment: Readonly<Record<string, string | undefined>>,
): readonly Finding[] {
  const named = config.listeners.flatMap(({ anonymous, anonymousUser }) =>
    anonymousUser === undefined || anonymousUser === ROOT || anonymous === 'deny' ? [] : [anonymousUser],
  )
  if (named.length === 0) return []
  const known = knownUsers(config, environment)
  if (known === undefined) return []
  return [...new Set(named)]
    .filter((name) => !known.has(name))
    .map((name) => ({
      severity: 'warning',
      message: `"anonymousUser" names ${JSON.stringify(name)}, and there is no such user: clients without a user name are refused`,
      remedy: 'make the user (merlot user add NAME), or leave out "anonymousUser"',
    }))
}

/** @returns undefined where the copy cannot be read: the start of the broker tells of that */
function knownUsers(
  config: BrokerConfig,
  environment: Readonly<Record<string, string | undefined>>,
): ReadonlySet<string> | undefined {
  const key = readSecretKey(secretKeyPlace(config, environment)) ?? 'no key'
  const found = new IdentitiesFile(config.dataDirectory, key).read()
  if (found.kind === 'absent') return new Set()
  if (found.kind !== 'good') return undefined
  const keys = found.copy.definitions.map(([name]) => name)
  return new Set(keys.filter((name) => name.startsWith(USER_KEY)).map((name) => name.slice(USER_KEY.length)))
}
