/** Puts a draft into force: on disk, in the LoT thread, and as retained messages. */
import { BrokerError, messageOf } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import type { SecretBox } from '../base/secret-box.js'
import type {
  DefinitionChange,
  EntityRef,
  EntityState,
  EnvironmentChange,
  RunnableDefinition,
  RunReport,
  RunRequest,
  StoredDefinition,
} from '../contracts/lot.js'
import type { InternalPublish } from '../contracts/threads.js'
import { type Identities, identityChanges } from './identities.js'
import { Installer } from './installer.js'
import type { Draft, Library } from './library.js'
import type { RetainedTopics } from './retained-topics.js'
import type { SafeCopy } from './safe-copy.js'
import { scriptsText, snapshotsOf } from './snapshots.js'
import { definitionChanges } from './stored.js'
import { setPackages, setUsers } from './system-topics.js'

/** The store, as far as definitions are concerned. */
export interface DefinitionStore {
  /** In one transaction. Resolves when they are on disk. @throws BrokerError STORE_FULL */
  saveDefinitions(changes: readonly DefinitionChange[]): Promise<void>
  definitions(): Promise<readonly StoredDefinition[]>
}

/** The LoT thread, as far as commands are concerned. */
export interface LotCalls {
  install(definitions: readonly RunnableDefinition[]): Promise<void>
  remove(entities: readonly EntityRef[]): Promise<void>
  setEnvironment(changes: readonly EnvironmentChange[]): Promise<void>
  runAction(name: string, request: RunRequest): Promise<RunReport>
  trace(action: string | undefined, untilMs: number): Promise<void>
  state(entity: EntityRef): Promise<EntityState | undefined>
}

export interface CommitterParts {
  readonly library: Library
  /** undefined where nothing is kept on disk. */
  readonly store: DefinitionStore | undefined
  readonly box: SecretBox | undefined
  /** Of users and rules; undefined where nothing is kept on disk. */
  readonly safeCopy: SafeCopy | undefined
  readonly lot: LotCalls
  /** undefined where nobody asks: in tests. */
  readonly identities: Identities | undefined
  readonly topics: RetainedTopics
  readonly publish: (messages: readonly InternalPublish[]) => Promise<void>
  readonly log: Logger
}

export class Committer {
  readonly #parts: CommitterParts
  readonly #installer: Installer

  constructor(parts: CommitterParts) {
    this.#parts = parts
    this.#installer = new Installer(parts.library)
  }

  /** @throws BrokerError when it could not be stored; nothing has changed then */
  async commit(draft: Draft): Promise<void> {
    const { library, store, box, safeCopy } = this.#parts
    safeCopy?.stamp(draft)
    if (store !== undefined) {
      const changes = definitionChanges(draft, box)
      if (changes.length > 0) await store.saveDefinitions(changes)
    }
    this.#changeTopics(draft)
    draft.entities.applyTo(library.entities)
    draft.environment.applyTo(library.environment)
    draft.secrets.applyTo(library.secrets)
    draft.users.applyTo(library.users)
    for (const name of draft.users.changes.keys()) library.unreadableUsers.delete(name)
    draft.packages.applyTo(library.packages)
    draft.notes.applyTo(library.notes)
    this.setLists(new Set([...draft.entities.changes.keys()].map((key) => key.split('/', 1)[0])))
    if (draft.users.changes.size > 0) setUsers(this.#parts.topics, library.users.values())
    if (draft.packages.changes.size > 0) setPackages(this.#parts.topics, library.packages.values())
    await this.#tellIdentities(draft)
    await safeCopy?.keep(library)
    await this.#tellLot(environmentChanges(draft), draft)
    await this.publish()
  }

  /** Tells a LoT thread that has just begun everything. */
  async installAll(): Promise<void> {
    const { library, lot } = this.#parts
    await lot.setEnvironment([
      ...[...library.environment].map(([name, value]) => ({ secret: false, name, value })),
      ...[...library.secrets].map(([name, value]) => ({ secret: true, name, value })),
    ])
    const { install, remove } = this.#installer.all()
    await this.#install(install)
    if (remove.length > 0) await lot.remove(remove)
  }

  /** Publishes what has changed. */
  async publish(): Promise<void> {
    const { topics, publish, log } = this.#parts
    const messages = topics.take()
    if (messages.length === 0) return
    try {
      await publish(messages)
    } catch (error) {
      topics.forget()
      log.warn('retained messages of LoT could not be published', { reason: messageOf(error) })
    }
  }

  /** Before the answer: who was told that a right is gone can rely on it. */
  async #tellIdentities(draft: Draft): Promise<void> {
    const { library, identities, log } = this.#parts
    const changes = identityChanges(draft, library)
    if (identities === undefined || changes === undefined) return
    try {
      await identities.tell(...changes)
    } catch (error) {
      const reason = messageOf(error)
      log.error('a thread did not take a change of users or rules, and begins anew', { reason })
      draft.warnings.push(`It is kept, but a part of the broker did not take it (${reason}) and begins anew with it`)
    }
  }

  /** What is stored is the truth: a LoT thread that dies meanwhile is told everything when it begins anew. */
  async #tellLot(environment: readonly EnvironmentChange[], draft: Draft): Promise<void> {
    const { lot, log } = this.#parts
    const { install, remove } = this.#installer.update(draft.deployed)
    try {
      if (environment.length > 0) await lot.setEnvironment(environment)
      if (remove.length > 0) await lot.remove(remove)
      await this.#install(install)
    } catch (error) {
      log.warn('the LoT thread did not take a change', { reason: messageOf(error) })
    }
  }

  /** One that the LoT thread refuses does not keep the others out. @throws BrokerError if the thread is gone */
  async #install(definitions: readonly RunnableDefinition[]): Promise<void> {
    const { lot, log } = this.#parts
    if (definitions.length === 0) return
    try {
      await lot.install(definitions)
    } catch (error) {
      if (error instanceof BrokerError) throw error
      if (definitions.length > 1) {
        for (const definition of definitions) await this.#install([definition])
        return
      }
      const [{ kind, name }] = definitions
      log.error('an entity does not run', { kind, name, reason: messageOf(error) })
    }
  }

  #changeTopics(draft: Draft): void {
    const { library, topics } = this.#parts
    for (const [key, after] of draft.entities.changes) {
      const before = library.entities.get(key)
      const now = after === undefined ? [] : snapshotsOf(after)
      const kept = new Set(now.map(([topic]) => topic))
      for (const [topic] of before === undefined ? [] : snapshotsOf(before)) if (!kept.has(topic)) topics.remove(topic)
      for (const [topic, text] of now) topics.set(topic, text)
    }
  }

  /** Topics that tell of all entities of a kind. @param kinds all where left out */
  setLists(kinds?: ReadonlySet<string>): void {
    const { library, topics } = this.#parts
    const entries = [...library.entities.values()]
    if (kinds?.has('python') !== false) topics.set('Python/Scripts', scriptsText(entries))
    if (kinds?.has('rule') !== false) {
      topics.set('Config/Rules', String(entries.filter(({ kind }) => kind === 'rule').length))
    }
  }
}

function environmentChanges(draft: Draft): EnvironmentChange[] {
  const changes: EnvironmentChange[] = []
  for (const [name, value] of draft.environment.changes) {
    if (!draft.inForce.has(`env/${name}`)) changes.push({ secret: false, name, value })
  }
  for (const [name, value] of draft.secrets.changes) {
    if (!draft.inForce.has(`secret/${name}`)) changes.push({ secret: true, name, value })
  }
  return changes
}
