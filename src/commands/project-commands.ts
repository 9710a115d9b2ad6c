/** Commands of projects: words in, answers of `ProjectCommands` out. */
import type { ProjectCommands, ProjectReply } from '../projects/project.js'
import type { AnswerCommand, Command } from './command.js'
import { wordsOf } from './command-line.js'
import { failure, type Reply } from './envelope.js'

type Call = (projects: ProjectCommands, words: readonly string[]) => Promise<ProjectReply>

export const PROJECT_COMMANDS: readonly AnswerCommand[] = [
  command('AddProject', 'SystemConfiguration', ['source'], (projects, words) => projects.add(words)),
  command('RemoveProject', 'SystemConfiguration', ['name'], (projects, [name]) => projects.remove(name)),
  command('LoadProject', 'SystemConfiguration', ['name'], (projects, [name]) => projects.load(name)),
  command('UnloadProject', 'SystemConfiguration', [], (projects) => projects.unload()),
  command('ListProjects', 'none', [], (projects) => projects.list()),
  command('GetProject', 'SystemConfiguration', ['name'], (projects, [name]) => projects.getProject(name)),
  command('DuplicateProject', 'SystemConfiguration', ['source', 'new name'], (projects, [source, target]) =>
    projects.duplicate(source, target),
  ),
  command('ProjectCheckout', 'SystemConfiguration', ['name', 'ref'], (projects, [name, ref]) =>
    projects.checkout(name, ref),
  ),
  command('ProjectPull', 'SystemConfiguration', ['name'], (projects, [name, ref]) => projects.pull(name, ref)),
  command('ProjectPush', 'SystemConfiguration', ['name'], (projects, [name, ref]) => projects.push(name, ref)),
  command('ProjectStatus', 'SystemConfiguration', ['name'], (projects, [name]) => projects.status(name)),
  command('ProjectManifest', 'SystemConfiguration', ['name'], (projects, [name]) => projects.manifest(name)),
]

/** @param needed what each of the first words means */
function command(name: string, scope: Command['scope'], needed: readonly string[], call: Call): AnswerCommand {
  return {
    name,
    scope,
    async answer({ rest }, { projects }): Promise<Reply> {
      if (projects === undefined) return failure('Projects are not available')
      const words = wordsOf(rest)
      const missing = needed[words.length]
      if (missing !== undefined) return failure(`The ${missing} is missing`)
      return await call(projects, words)
    },
  }
}
