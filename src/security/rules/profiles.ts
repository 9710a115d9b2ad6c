/** What rules ask of users, made ready for asking. */
import type { AccessChange, UserProfile } from '../../contracts/security.js'

export interface Profile {
  readonly groups: ReadonlySet<string>
  /** Names of the properties that are true. */
  readonly flags: ReadonlySet<string>
}

export class Profiles {
  #profiles = new Map<string, Profile>()

  find(userName: string | undefined): Profile | undefined {
    return userName === undefined ? undefined : this.#profiles.get(userName)
  }

  /** @returns the names of those that differ from before in what rules can ask */
  change({ users, removedUsers, isWhole }: AccessChange): ReadonlySet<string> {
    const before = this.#profiles
    const changed = new Set<string>()
    const after = isWhole ? new Map<string, Profile>() : new Map(before)
    for (const name of removedUsers) after.delete(name)
    for (const user of users) after.set(user.name, profileOf(user))
    const named = isWhole ? [...before.keys(), ...after.keys()] : [...removedUsers, ...users.map(({ name }) => name)]
    for (const name of named) if (!isSame(before.get(name), after.get(name))) changed.add(name)
    this.#profiles = after
    return changed
  }
}

function profileOf({ groups, properties }: UserProfile): Profile {
  const flags = Object.entries(properties).filter(([, value]) => value.toLowerCase() === 'true')
  return { groups: new Set(groups), flags: new Set(flags.map(([name]) => name)) }
}

function isSame(one: Profile | undefined, other: Profile | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return hasSame(one.groups, other.groups) && hasSame(one.flags, other.flags)
}

function hasSame(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  if (one.size !== other.size) return false
  for (const item of one) if (!other.has(item)) return false
  return true
}
