/** Users and rules a second time, outside of the store: when it is damaged, who was kept out stays out. */
import { randomBytes } from 'node:crypto'
import { encodeText } from '../base/bytes.js'
import { BrokerError, messageOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import { systemReason } from '../base/system-error.js'
import { entryKey } from './entry.js'
import { changesRules } from './identities.js'
import { type IdentitiesCopy, IdentitiesFile } from './identities-file.js'
import { type Draft, Library } from './library.js'
import { IDENTITY_NOTES, identityDefinitions, readDefinitions } from './stored.js'

/**
 * A note that tells which state of users and rules the store has: `12.9f86d081884c7d65`. The number grows with each change;
 * what follows tells stores of different origin apart.
 */
const VERSION = 'settings/identitiesVersion'
const STAMP_BYTES = 8
/** Names in one line of the log. */
const NAMES_MAX = 20

/** Puts into a draft what the store has lost. */
export type BringBack = (draft: Draft) => void

export class SafeCopy {
  readonly #file: IdentitiesFile
  /** Of what the file has; undefined where it has to be written in any case. */
  #kept: string | undefined
  /** The highest that was seen. */
  #number = 0

  /** @param key of this installation; why there is none, as text */
  constructor(
    dataDirectory: string,
    key: Buffer | string,
    private readonly log: Logger,
  ) {
    this.#file = new IdentitiesFile(dataDirectory, key)
  }

  /**
   * Compares the file with what was read from the store. What the store has lost is in the library then.
   * @param unreadRules rules that are in the store and cannot be read, and why
   * @returns to be called with the first draft, so that the store has it again too
   * @throws BrokerError RULE_UNREADABLE for one that is not in the file either; IDENTITIES_UNREADABLE when the store knows
   *   of none, and the file cannot be used
   */
  open(library: Library, unreadRules: ReadonlyMap<string, string>): BringBack {
    const found = this.#file.read()
    const { path, keyProblem } = this.#file
    const lost = found.kind === 'good' ? this.#compare(found.copy, library) : new Library()
    for (const [rule, reason] of unreadRules) {
      if (!lost.entities.has(entryKey('rule', rule))) throw new BrokerError('RULE_UNREADABLE', { rule, reason })
    }
    if (found.kind === 'damaged' || found.kind === 'unproven') {
      const { kind, reason } = found
      if (!library.notes.has(VERSION)) throw new BrokerError('IDENTITIES_UNREADABLE', { path, reason })
      if (kind === 'damaged') this.#moveAside(reason)
    }
    if (keyProblem !== undefined) this.log.warn('users and rules are not copied', { path, reason: keyProblem })
    addAll(lost, library)
    return (draft) => {
      for (const entry of lost.entities.values()) draft.deploy(entry)
      for (const [name, user] of lost.users) draft.users.set(name, user)
      for (const [key, note] of lost.notes) draft.notes.set(key, note)
    }
  }

  /** Before a draft is stored: gives users and rules a new version, where it changes them or they have none. */
  stamp(draft: Draft): void {
    const changesNotes = IDENTITY_NOTES.some((key) => draft.notes.changes.has(key))
    if (!changesNotes && draft.users.changes.size === 0 && !changesRules(draft) && draft.notes.has(VERSION)) return
    const number = Math.max(this.#number, numberOf(draft.notes.get(VERSION))) + 1
    draft.notes.set(VERSION, `${number}.${randomBytes(STAMP_BYTES).toString('hex')}`)
  }

  /** After a draft is in force: writes the file, unless it has this version. Never rejects: the store has it all. */
  async keep(library: Library): Promise<void> {
    const version = library.notes.get(VERSION)
    if (version === undefined || version === this.#kept || this.#file.keyProblem !== undefined) return
    try {
      await this.#file.write({ version, definitions: inOrder(identityDefinitions(library)) })
      this.#kept = version
    } catch (error) {
      const { path } = this.#file
      this.log.warn('users and rules could not be copied: the store alone has them', {
        path,
        reason: systemReason(error),
      })
    }
  }

  /** @returns what is in the copy and has to come back */
  #compare(copy: IdentitiesCopy, library: Library): Library {
    const version = library.notes.get(VERSION)
    this.#number = numberOf(copy.version)
    const isOfStore = version === copy.version
    const present = identityDefinitions(library)
    if (isOfStore && isSame(copy.definitions, present)) this.#kept = version
    const missing = this.#missing(copy, present, isOfStore || version === undefined)
    if (isOfStore || version === undefined) {
      this.#tellLost(missing, present.size === 0)
      return missing
    }
    if (numberOf(version) < this.#number) this.#tellOlder(version, copy.version, missing)
    return new Library()
  }

  /** @param isWanted it is to come back @throws BrokerError RULE_UNREADABLE for a rule that should, and cannot */
  #missing({ definitions }: IdentitiesCopy, present: ReadonlyMap<string, string>, isWanted: boolean): Library {
    const missing = new Library()
    const absent = definitions.filter(([key]) => !present.has(key))
    const values = absent.map(([key, text]) => ({ key, value: encodeText(text) }))
    const { problems, rules } = readDefinitions(values, missing, undefined)
    if (!isWanted) return missing
    for (const [rule, reason] of rules) throw new BrokerError('RULE_UNREADABLE', { rule, reason })
    for (const reason of problems)
      this.log.error('a definition in the copy of users and rules is passed over', { reason })
    return missing
  }

  /** @param isAll the store has nothing of the kind */
  #tellLost({ users, entities, notes }: Library, isAll: boolean): void {
    const { path } = this.#file
    if (isAll) {
      this.log.warn('the store knows no users and rules: they come back from their copy', {
        path,
        users: users.size,
        rules: entities.size,
        remedy: 'to begin without them, stop the broker and delete this file and the folder of the store',
      })
      return
    }
    for (const [kind, names] of [
      ['user', users.keys()],
      ['rule', [...entities.values()].map(({ name }) => name)],
      ['note', notes.keys()],
    ] as const) {
      for (const name of names)
        this.log.error('lost from the store, and brought back from the copy', { kind, name, path })
    }
  }

  #tellOlder(store: string, copy: string, missing: Library): void {
    const names = [...missing.entities.values(), ...missing.users.values()].map(({ name }) => name)
    this.log.warn('the copy of users and rules is newer than the store, as after a backup was brought back', {
      store,
      copy,
      missing: names.length,
      names: names.slice(0, NAMES_MAX).join(', '),
      remedy: 'the store counts; add again what is missing and shall hold',
    })
  }

  #moveAside(reason: string): void {
    const { path } = this.#file
    const text = 'the copy of users and rules was damaged: it is moved aside, and made anew from the store'
    try {
      this.log.error(text, { path: this.#file.moveAside(), reason })
    } catch (error) {
      this.log.error('the copy of users and rules is damaged, and cannot be moved aside', {
        path,
        reason: `${reason}; ${messageOf(error)}`,
      })
    }
  }
}

function inOrder(definitions: ReadonlyMap<string, string>): IdentitiesCopy['definitions'] {
  return [...definitions].sort(([one], [other]) => (one < other ? -1 : 1))
}

function isSame(copied: IdentitiesCopy['definitions'], present: ReadonlyMap<string, string>): boolean {
  return copied.length === present.size && copied.every(([key, text]) => present.get(key) === text)
}

function addAll({ entities, users, notes }: Library, library: Library): void {
  for (const [key, entry] of entities) library.entities.set(key, entry)
  for (const [name, user] of users) {
    library.users.set(name, user)
    library.unreadableUsers.delete(name)
  }
  for (const [key, note] of notes) library.notes.set(key, note)
}

/** 0 for none. */
function numberOf(version: string | undefined): number {
  return Number.parseInt(version ?? '0', 10) || 0
}
