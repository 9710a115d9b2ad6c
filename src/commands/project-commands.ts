/** Commands of projects: words in, answers of `ProjectCommands` out. */
import type { ProjectCommands, ProjectReply } from '../projects/project.js'
import type { AnswerCommand } from './command.js'
import { wordsOf } from './command-line.js'
import { failure, type Reply } from './envelope.js'

type Call = (projects: ProjectCommands, words: readonly string[]) => Promise<ProjectReply>

export const PROJECT_COMMANDS: readonly AnswerCommand[] = [
  command('AddProject', ['source'], (projects, words) => projects.add(words)),
  command('RemoveProject', ['name'], (projects, [name]) => projects.remove(name)),
  command('LoadProject', ['name'], (projects, [name]) => projects.load(name)),
  command('UnloadProject', [], (projects) => projects.unload()),
  command('ListProjects', [], (projects) => projects.list()),
  command('GetProject', ['name'], (projects, [name]) => projects.getProject(name)),
  command('DuplicateProject', ['source', 'new name'], (projects, [source, target]) =>
    projects.duplicate(source, target),
  ),
  command('ProjectCheckout', ['name', 'ref'], (projects, [name, ref]) => projects.checkout(name, ref)),
  command('ProjectPull', ['name'], (projects, [name, ref]) => projects.pull(name, ref)),
  command('ProjectPush', ['name'], (projects, [name, ref]) => projects.push(name, ref)),
  command('ProjectStatus', ['name'], (projects, [name]) => projects.status(name)),
  command('ProjectManifest', ['name'], (projects, [name]) => projects.manifest(name)),
]

/** @param needed what each of the first words means */
function command(name: string, needed: readonly string[], call: Call): AnswerCommand {
  return {
    name,
    async answer({ rest }, { projects }): Promise<Reply> {
      if (projects === undefined) return failure('Projects are not available')
      const words = wordsOf(rest)
      const missing = needed[words.length]
      if (missing !== undefined) return failure(`The ${missing} is missing`)
      return await call(projects, words)
    },
  }
}
