/** The commands of projects. */
import { readFile, stat } from 'node:fs/promises'
import { Turns } from '../base/turns.js'
import { ActiveProject } from './active-project.js'
import { packArchive, unpackArchive, writeFiles, ZIP_BYTES_MAX } from './archive.js'
import * as git from './git.js'
import { checkProjectName, hideCredentials } from './git-address.js'
import type {
  EntityKey,
  Manifest,
  Ownership,
  ProjectCommands,
  ProjectListEntry,
  ProjectReply,
  ProjectStatus,
  ProjectsTask,
} from './project.js'
import { readProjectFiles } from './project-files.js'
import { isRepository, ProjectFolders } from './project-folders.js'
import { type ProjectSource, readAddArguments } from './project-source.js'
import { countsOf, manifestOf, placedOf, readProject } from './read-project.js'
import { refused } from './refusal.js'
import { answered, done, errorText, reasonOf, withMessage } from './reply.js'
import { ProjectTopics } from './topics.js'

const WAITING_MAX = 99

export class Projects implements ProjectCommands {
  /** One after the other, so that no two commands change the same folders. */
  readonly #turns = new Turns(1, WAITING_MAX)
  readonly #topics: ProjectTopics
  readonly #folders: ProjectFolders
  readonly #active: ActiveProject
  /** Of the last load. */
  #errorCount = 0

  constructor(task: ProjectsTask) {
    this.#topics = new ProjectTopics(task.publish)
    this.#folders = new ProjectFolders(task)
    this.#active = new ActiveProject(task, this.#topics)
  }

  start(project: string | undefined): Promise<ProjectReply | undefined> {
    return this.#turns.take(async () => {
      await this.#folders.tidy()
      const reply = await answered(() => this.#loadAtStart(project))
      await this.#publishOverview()
      await this.#active.publishOwnership()
      return reply
    })
  }

  add(given: readonly string[]): Promise<ProjectReply> {
    return this.#command(async () => {
      const { source, load } = readAddArguments(given)
      await this.#store(source)
      const added = `Project '${source.name}' added successfully.`
      await this.#publishOverview()
      if (load) return withMessage(await this.#load(source.name), added)
      const { counts, errors } = await this.#publishManifest(source.name)
      await this.#publishStatus(source.name)
      return { success: true, message: added, data: { name: source.name, counts }, warnings: errors.map(errorText) }
    })
  }

  remove(name: string): Promise<ProjectReply> {
    return this.#command(async () => {
      if (!(await this.#folders.has(name))) throw refused(`Project '${name}' not found.`)
      if (this.#active.name === name) await this.#active.unload()
      await this.#folders.remove(name)
      await this.#topics.clear([`Projects/${name}/status`, `Projects/${name}/manifest`])
      await this.#publishOverview()
      return done(`Project '${name}' removed successfully.`)
    })
  }

  load(name: string): Promise<ProjectReply> {
    return this.#command(() => this.#load(name))
  }

  unload(): Promise<ProjectReply> {
    return this.#command(async () => {
      const { name } = this.#active
      if (name === undefined) throw refused('No project is loaded.')
      const removed = await this.#active.unload()
      await this.#publishOverview()
      return done(`Project '${name}' unloaded successfully.`, { name, removed })
    })
  }

  list(): Promise<ProjectReply> {
    return this.#command(async () => {
      const entries = await this.#entries()
      const message = entries.length === 0 ? 'No projects found.' : `Projects: ${entries.map((e) => e.name).join(', ')}`
      return done(message, entries)
    })
  }

  getProject(name: string): Promise<ProjectReply> {
    return this.#command(async () => {
      const zip = packArchive(await readProjectFiles(await this.#folders.folderOf(name)))
      const topic = `Projects/${name}/download`
      await this.#topics.send(topic, zip.toString('base64'))
      return done(`Project '${name}' is published on $SYS/Coreflux/${topic}.`, { name, bytes: zip.length })
    })
  }

  duplicate(source: string, target: string): Promise<ProjectReply> {
    return this.#command(async () => {
      const files = await readProjectFiles(await this.#folders.folderOf(source))
      const warnings: string[] = []
      await this.#folders.build(target, false, async (folder) => {
        await writeFiles(folder, files)
        await git.initRepository(folder).catch((error: unknown) => warnings.push(reasonOf(error)))
      })
      await this.#publishOverview()
      return { ...done(`Project '${source}' duplicated as '${target}' successfully.`, { name: target }), warnings }
    })
  }

  checkout(name: string, ref: string): Promise<ProjectReply> {
    return this.#changing(name, `Project '${name}' is at '${ref}'.`, (folder) => git.checkoutRef(folder, ref))
  }

  pull(name: string, ref: string | undefined): Promise<ProjectReply> {
    return this.#changing(name, `Project '${name}' pulled successfully.`, (folder) => git.pullBranch(folder, ref))
  }

  push(name: string, ref: string | undefined): Promise<ProjectReply> {
    return this.#command(async () => {
      await git.pushBranch(await this.#repositoryOf(name), ref)
      const status = await this.#publishStatus(name)
      const warnings = status.clean === false ? ['changes that are not committed were not pushed'] : []
      return { ...done(`Project '${name}' pushed successfully.`, status), warnings }
    })
  }

  status(name: string): Promise<ProjectReply> {
    return this.#command(async () => {
      const folder = await this.#folders.folderOf(name)
      if (isRepository(folder)) await git.repositoryStatus(name, folder) // here its failure is the answer
      const status = await this.#publishStatus(name)
      const message = status.git ? `Status of project '${name}'.` : `Project '${name}' is not in Git.`
      return done(message, status)
    })
  }

  manifest(name: string): Promise<ProjectReply> {
    return this.#command(async () => done(`Manifest of project '${name}'.`, await this.#publishManifest(name)))
  }

  ownerOf(entity: EntityKey): Ownership | undefined {
    return this.#active.ownerOf(entity)
  }

  release(entities: readonly EntityKey[]): Promise<void> {
    return this.#active.release(entities)
  }

  republish(): Promise<void> {
    return this.#topics.republish()
  }

  async #loadAtStart(project: string | undefined): Promise<ProjectReply | undefined> {
    const name = project === undefined || project === '' ? this.#active.name : project
    if (name === undefined) return undefined
    if (await this.#folders.has(name)) return this.#load(name)
    if (name === this.#active.name) {
      await this.#active.unload()
      throw refused(`Project '${name}', which was loaded before, is no longer there.`)
    }
    const { source } = readAddArguments([name])
    const warnings = await this.#refresh(source)
    const reply = await this.#load(source.name)
    return { ...reply, warnings: [...warnings, ...(reply.warnings ?? [])] }
  }

  /** At the start a project is brought up to date, and a remote that cannot be reached is no reason to be without it. */
  async #refresh(source: ProjectSource): Promise<string[]> {
    if (source.kind !== 'git' || !(await this.#folders.has(source.name))) {
      await this.#store(source)
      return []
    }
    const folder = await this.#repositoryOf(source.name)
    if ((await git.remoteOf(folder)) !== hideCredentials(source.address)) {
      throw refused(`A project with the name '${source.name}' already exists, and came from somewhere else.`)
    }
    return git.pullBranch(folder, undefined).then(
      () => [],
      (error: unknown) => [reasonOf(error)],
    )
  }

  async #store(source: ProjectSource): Promise<void> {
    switch (source.kind) {
      case 'folder':
        return this.#folders.link(source.name, source.path)
      case 'git': {
        const { name, address, branch } = source
        return this.#folders.build(name, false, (folder) => git.cloneRepository(address, branch, folder))
      }
      case 'zipText':
        return this.#unpack(source.name, source.zip)
      case 'zipFile': {
        if ((await stat(source.path)).size > ZIP_BYTES_MAX) throw refused(`${source.path} is too big for a project`)
        return this.#unpack(source.name, await readFile(source.path))
      }
    }
  }

  /** An archive of the same name takes the place of one that came from an archive: that is how tools send changes. */
  async #unpack(name: string, zip: Buffer): Promise<void> {
    const files = await unpackArchive(zip)
    checkProjectName(name)
    const isOwn = (await this.#folders.has(name)) && this.#folders.linkOf(name) === undefined
    const replace = isOwn && !isRepository(await this.#folders.folderOf(name))
    await this.#folders.write(name, files, replace)
  }

  async #load(name: string): Promise<ProjectReply> {
    const files = await readProjectFiles(await this.#folders.folderOf(name))
    const content = readProject(files)
    const { deployed, errors, warnings } = await this.#active.load(name, content)
    const manifest = manifestOf(name, files, content)
    await this.#topics.set(`Projects/${name}/manifest`, manifest)
    this.#errorCount = errors.length
    await this.#publishOverview()
    await this.#publishStatus(name)
    const data = { name, entities: deployed.map(placedOf), counts: countsOf(deployed) }
    if (errors.length === 0) return { success: true, message: `Project '${name}' loaded successfully.`, data, warnings }
    const message = `Project '${name}' loaded with ${errors.length} ${errors.length === 1 ? 'error' : 'errors'}: ${errorText(errors[0]!)}`
    return { success: false, message, data, errors, warnings }
  }

  /** What changed is loaded at once if the project is the active one: it would be at the next start anyway. */
  #changing(name: string, message: string, change: (folder: string) => Promise<void>): Promise<ProjectReply> {
    return this.#command(async () => {
      await change(await this.#repositoryOf(name))
      if (this.#active.name === name) return withMessage(await this.#load(name), message)
      await this.#publishManifest(name)
      return done(message, await this.#publishStatus(name))
    })
  }

  async #repositoryOf(name: string): Promise<string> {
    const folder = await this.#folders.folderOf(name)
    if (!isRepository(folder)) throw refused(`Project '${name}' is not in Git.`)
    return folder
  }

  async #publishManifest(name: string): Promise<Manifest> {
    const files = await readProjectFiles(await this.#folders.folderOf(name))
    const manifest = manifestOf(name, files, readProject(files))
    await this.#topics.set(`Projects/${name}/manifest`, manifest)
    return manifest
  }

  /** A repository that cannot be read, as where Git is missing, is none that could be worked with. */
  async #publishStatus(name: string): Promise<ProjectStatus> {
    const none: ProjectStatus = { project: name, git: false }
    const folder = await this.#folders.folderOf(name)
    const status = isRepository(folder) ? await git.repositoryStatus(name, folder).catch(() => none) : none
    await this.#topics.set(`Projects/${name}/status`, status)
    return status
  }

  async #publishOverview(): Promise<void> {
    const entries = await this.#entries()
    const active = entries.find(({ status }) => status === 'loaded')
    await this.#topics.set('Projects/list', entries)
    await this.#topics.set(
      'Projects/active',
      active === undefined ? { status: 'unloaded' } : { ...active, errors: this.#errorCount },
    )
  }

  async #entries(): Promise<ProjectListEntry[]> {
    const entries: ProjectListEntry[] = []
    for (const name of await this.#folders.names()) {
      entries.push(await this.#folders.describe(name, name === this.#active.name))
    }
    return entries
  }

  /** @throws BrokerError PROJECT_REFUSED when too many wait already */
  async #command(run: () => Promise<ProjectReply>): Promise<ProjectReply> {
    if (this.#turns.isFull) throw refused('too many commands for projects wait; try again later')
    return await this.#turns.take(() => answered(run))
  }
}
