/** Puts the entities of projects to work. */
import type { EntityDeployer, EntityOutcome, ProjectEntity } from '../projects/project.js'
import type { Changes } from './changes.js'
import type { CommandServices } from './command.js'
import { deployEntity } from './deploy.js'
import { removeEntity } from './entity-commands.js'
import { entryKey } from './entry.js'
import type { Reply } from './envelope.js'
import { isLocked } from './rules.js'

export function projectDeployer(changes: Changes, services: CommandServices): EntityDeployer {
  const deployOne = (entity: ProjectEntity): Promise<Reply> => {
    const { kind, name, source } = entity
    if (kind === 'python') return services.python.add(source, name)
    return changes.make((draft) => {
      // a rule of the same name would be refused: what a project says takes its place
      const key = entryKey(kind, name)
      const before = kind === 'rule' && !isLocked(name) ? draft.entities.get(key) : undefined
      if (before !== undefined) draft.entities.delete(key)
      const reply = deployEntity(draft, kind, source, services.deployOptions)
      if (before !== undefined && !reply.success) draft.entities.set(key, before)
      return reply
    })
  }
  return {
    async deploy(_project, entities) {
      // all are asked for at once, so that they go together; each is one that can fail alone
      return await Promise.all(entities.map(async (entity) => outcomeOf(deployOne(entity))))
    },
    async remove(entities) {
      await Promise.all(
        entities.map(({ kind, name }) =>
          kind === 'python' ? services.python.remove(name) : changes.make((draft) => removeEntity(draft, kind, name)),
        ),
      )
    },
  }
}

async function outcomeOf(answer: Promise<Reply>): Promise<EntityOutcome> {
  const { success, message, errors, warnings } = await answer.catch((error: unknown): Reply => {
    return { success: false, message: error instanceof Error ? error.message : String(error) }
  })
  return { success, warnings, errors: success ? undefined : (errors ?? [{ message }]) }
}
