/** What the broker says of itself below `$SYS/Coreflux`. */
import { configView } from '../config/config-view.js'
import { MASK } from '../config/old-keys.js'
import type { BrokerConfig } from '../config/schema.js'
import { type InstalledPackage, packageList } from './python-packages.js'
import type { RetainedTopics } from './retained-topics.js'
import type { User } from './users.js'

/** Those that change only with the program. */
export function setSystemTopics(topics: RetainedTopics, version: string): void {
  topics.set('Version', JSON.stringify({ version, build: version, product: 'Merlot' }))
  topics.set('License', JSON.stringify({ tier: 'open' }))
  topics.set('Cluster/Role', 'Standalone')
  topics.set('Cluster/IsLeader', 'true')
  topics.set('Cluster/Leader', 'Merlot')
  topics.set('Cluster/Term', '0')
  topics.set('Cluster/Members', '[]')
  topics.set('Cluster/Status', JSON.stringify({ role: 'Standalone', isLeader: true, term: 0, members: [] }))
}

/** @param needsRestart keys of values that are not in force yet */
export function setConfigTopic(topics: RetainedTopics, config: BrokerConfig, needsRestart: readonly string[]): void {
  topics.set('Config', JSON.stringify(configView(config, needsRestart)))
}

/** Where there are no projects, clients still look for these. */
export function setNoProjects(topics: RetainedTopics): void {
  topics.set('Projects/list', '[]')
  topics.set('Projects/active', JSON.stringify({ status: 'unloaded' }))
  topics.set('Entities/ownership', '{}')
}

export function setLicenseStatus(topics: RetainedTopics, connections: number): void {
  topics.set('License/Status', JSON.stringify({ tier: 'open', expires: null, connections }))
}

/** Users that `Config/Users` shows; `-listUsers` shows all. */
const USERS_SHOWN_MAX = 1_000

/** Nothing of a password but that there is one. */
export function setUsers(topics: RetainedTopics, users: Iterable<User>): void {
  const views = [...users].slice(0, USERS_SHOWN_MAX).map(({ name, passwordHash, groups, properties }) => {
    return { name, password: passwordHash === undefined ? '' : MASK, groups, properties }
  })
  topics.set('Config/Users', JSON.stringify(views))
}

export function setPackages(topics: RetainedTopics, packages: Iterable<InstalledPackage>): void {
  topics.set('Python/Packages', JSON.stringify(packageList(packages)))
}
