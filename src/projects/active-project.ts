/** The project that is loaded: what of it is in force, and how the next one takes its place without a gap. */

import { OwnedEntities } from './ownership.js'
import {
  ENTITY_KINDS,
  type EntityKey,
  type EntityOutcome,
  type Ownership,
  type ProjectEntity,
  type ProjectError,
  type ProjectsTask,
} from './project.js'
import type { ProjectContent } from './read-project.js'
import { placeText } from './read-project.js'
import type { ProjectTopics } from './topics.js'

const NAME_KEY = 'projects/active'
const OWNED_KEY = 'projects/owned'

export interface Deployment {
  readonly deployed: readonly ProjectEntity[]
  readonly errors: readonly ProjectError[]
  readonly warnings: readonly string[]
}

type Attempt = readonly [entity: ProjectEntity, outcome: EntityOutcome]

export class ActiveProject {
  #name: string | undefined
  readonly #owned: OwnedEntities

  constructor(
    private readonly task: Pick<ProjectsTask, 'deployer' | 'remembered' | 'remember'>,
    private readonly topics: ProjectTopics,
  ) {
    this.#name = task.remembered.get(NAME_KEY)
    this.#owned = OwnedEntities.fromText(task.remembered.get(OWNED_KEY))
  }

  get name(): string | undefined {
    return this.#name
  }

  ownerOf(entity: EntityKey): Ownership | undefined {
    return this.#owned.ownerOf(entity)
  }

  /**
   * Deploys the content and then removes what the previous project, or the previous state of this one, had besides. An
   * entity that fails leaves its predecessor from the same project in force.
   */
  async load(name: string, content: ProjectContent): Promise<Deployment> {
    const attempts: Attempt[] = []
    for (const kind of ENTITY_KINDS) {
      attempts.push(
        ...(await this.#deployKind(
          name,
          content.entities.filter((entity) => entity.kind === kind),
        )),
      )
    }
    const deployed = attempts.filter(([, { success }]) => success).map(([entity]) => entity)
    for (const entity of deployed) this.#owned.add(name, entity)
    const declared = new Set(content.entities.map(keyOf))
    await this.#remove((entity, { project }) => project !== name || !declared.has(keyOf(entity)))
    this.#name = name
    await this.#save()
    return {
      deployed,
      errors: [...content.errors, ...attempts.flatMap(errorsOf)],
      warnings: [...content.warnings, ...attempts.flatMap(warningsOf)],
    }
  }

  /** Removes what belongs to the project and forgets it. @returns how many entities that were */
  async unload(): Promise<number> {
    const removed = await this.#remove(() => true)
    this.#name = undefined
    await this.#save()
    return removed
  }

  async release(entities: readonly EntityKey[]): Promise<void> {
    const released = entities.filter((entity) => this.#owned.release(entity))
    if (released.length > 0) await this.#save()
  }

  async publishOwnership(): Promise<void> {
    await this.topics.set('Entities/ownership', this.#owned.toTopic())
  }

  /** A model may stand before its parent: what failed is tried again for as long as that helps. */
  async #deployKind(project: string, entities: readonly ProjectEntity[]): Promise<Attempt[]> {
    const done: Attempt[] = []
    let waiting = entities
    while (waiting.length > 0) {
      const outcomes = await this.task.deployer.deploy(project, waiting)
      const attempts = waiting.map((entity, index): Attempt => [entity, outcomes[index] ?? { success: false }])
      const failed = attempts.filter(([, { success }]) => !success)
      done.push(...attempts.filter(([, { success }]) => success))
      if (failed.length === attempts.length || failed[0]?.[0].kind !== 'model') return [...done, ...failed]
      waiting = failed.map(([entity]) => entity)
    }
    return done
  }

  async #remove(isObsolete: (entity: EntityKey, owner: Ownership) => boolean): Promise<number> {
    const obsolete = this.#owned.toRemove(isObsolete)
    if (obsolete.length > 0) await this.task.deployer.remove(obsolete)
    for (const entity of obsolete) this.#owned.release(entity)
    return obsolete.length
  }

  async #save(): Promise<void> {
    await this.task.remember(OWNED_KEY, this.#owned.isEmpty ? undefined : this.#owned.toText())
    await this.task.remember(NAME_KEY, this.#name)
    await this.publishOwnership()
  }
}

function keyOf({ kind, name }: EntityKey): string {
  return `${kind}:${name}`
}

function errorsOf([entity, { success, errors }]: Attempt): ProjectError[] {
  if (success) return []
  const { kind, name, file, cell, line } = entity
  const given = errors === undefined || errors.length === 0 ? [{ message: `${kind} '${name}' was refused` }] : errors
  return given.map((error) => ({ ...error, kind, name, file, cell, fileLine: line + (error.line ?? 1) - 1 }))
}

function warningsOf([entity, { warnings = [] }]: Attempt): string[] {
  return warnings.map((warning) => `${placeText(entity)}: ${warning}`)
}
