/** Where projects live: in the broker's own folder, or in one of the user's that is only named. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFiles } from './archive.js'
import { remoteOf } from './git.js'
import { checkProjectName } from './git-address.js'
import type { ProjectListEntry, ProjectsTask } from './project.js'
import { byCodeUnits, type ProjectFile } from './project-files.js'
import { refused } from './refusal.js'

const LINK_KEY = 'projects/links'
const PROJECTS_MAX = 1_000
/** Folders that begin with it are unfinished or on their way out. */
const TEMPORARY = '.tmp-'
/** Within such a folder, before the name of a project: what is being replaced. */
const OLD = 'old-'

export class ProjectFolders {
  /** Path by name. */
  readonly #links: Map<string, string>

  constructor(private readonly task: Pick<ProjectsTask, 'folder' | 'remembered' | 'remember'>) {
    this.#links = savedLinks(task.remembered.get(LINK_KEY))
  }

  /** Removes what an interrupted command left behind; a project that was being replaced comes back. */
  async tidy(): Promise<void> {
    const { folder } = this.task
    for (const entry of await this.#entries()) {
      if (!entry.startsWith(TEMPORARY)) continue
      for (const part of await readdir(join(folder, entry))) {
        const name = part.slice(OLD.length)
        const isOnlyCopy = part.startsWith(OLD) && isProjectName(name) && !existsSync(join(folder, name))
        if (isOnlyCopy) await rename(join(folder, entry, part), join(folder, name))
      }
      await rm(join(folder, entry), { recursive: true, force: true })
    }
  }

  /** In the order of names. */
  async names(): Promise<string[]> {
    const own = (await this.#entries()).filter((name) => !name.startsWith('.') && isProjectName(name))
    return [...new Set([...own, ...this.#links.keys()])].sort(byCodeUnits)
  }

  async has(name: string): Promise<boolean> {
    return (await this.names()).includes(name)
  }

  /** @throws BrokerError PROJECT_REFUSED if there is no such project */
  async folderOf(name: string): Promise<string> {
    if (!(await this.has(name))) throw refused(`Project '${name}' not found.`)
    const folder = this.#links.get(name) ?? join(this.task.folder, name)
    if (!existsSync(folder)) throw refused(`the folder ${folder} of project '${name}' does not exist`)
    return folder
  }

  /** Path of a folder that belongs to the user; undefined for the broker's own. */
  linkOf(name: string): string | undefined {
    return this.#links.get(name)
  }

  /** Names a folder of the user, which is read where it is and never removed. */
  async link(name: string, path: string): Promise<void> {
    const known = this.#links.get(name)
    if (known === path) return
    await this.#checkFree(name)
    this.#links.set(name, path)
    await this.#saveLinks()
  }

  /** @param replace whether an own project of that name gives way */
  async write(name: string, files: readonly ProjectFile[], replace: boolean): Promise<void> {
    await this.build(name, replace, (folder) => writeFiles(folder, files))
  }

  /**
   * Makes a project all or nothing.
   * @param fill puts the files into a folder that exists and is empty
   */
  async build(name: string, replace: boolean, fill: (folder: string) => Promise<void>): Promise<void> {
    checkProjectName(name)
    if (!replace || this.#links.has(name)) await this.#checkFree(name)
    await mkdir(this.task.folder, { recursive: true, mode: 0o700 })
    const temporary = await mkdtemp(join(this.task.folder, TEMPORARY))
    const target = join(this.task.folder, name)
    try {
      const content = join(temporary, 'new')
      await mkdir(content, { mode: 0o700 })
      await fill(content)
      await exchange(content, target, join(temporary, OLD + name))
    } finally {
      await rm(temporary, { recursive: true, force: true })
    }
  }

  async remove(name: string): Promise<void> {
    if (this.#links.delete(name)) return this.#saveLinks()
    if (!(await this.has(name))) throw refused(`Project '${name}' not found.`)
    await rm(join(this.task.folder, name), { recursive: true, force: true })
  }

  async describe(name: string, isLoaded: boolean): Promise<ProjectListEntry> {
    const path = this.#links.get(name)
    const folder = path ?? join(this.task.folder, name)
    const isGit = isRepository(folder)
    const url = isGit ? await remoteOf(folder) : undefined
    const source = path !== undefined ? 'folder' : isGit ? 'git' : 'archive'
    return { name, status: isLoaded ? 'loaded' : 'unloaded', source, url, path }
  }

  async #checkFree(name: string): Promise<void> {
    checkProjectName(name)
    const names = await this.names()
    const taken = names.find((known) => known.toLowerCase() === name.toLowerCase())
    if (taken !== undefined) throw refused(`A project with the name '${taken}' already exists.`)
    if (names.length >= PROJECTS_MAX) throw refused(`there are ${PROJECTS_MAX} projects; remove one first`)
  }

  async #entries(): Promise<string[]> {
    if (!existsSync(this.task.folder)) return []
    const entries = await readdir(this.task.folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  }

  #saveLinks(): Promise<void> {
    const text = this.#links.size === 0 ? undefined : JSON.stringify([...this.#links])
    return this.task.remember(LINK_KEY, text)
  }
}

async function exchange(content: string, target: string, old: string): Promise<void> {
  if (!existsSync(target)) return rename(content, target)
  await rename(target, old)
  try {
    await rename(content, target)
  } catch (error) {
    await rename(old, target)
    throw error
  }
}

export function isRepository(folder: string): boolean {
  return existsSync(join(folder, '.git'))
}

function isProjectName(name: string): boolean {
  try {
    checkProjectName(name)
    return true
  } catch {
    return false
  }
}

function savedLinks(saved: string | undefined): Map<string, string> {
  try {
    const parsed: unknown = saved === undefined ? [] : JSON.parse(saved)
    if (!Array.isArray(parsed)) return new Map()
    return new Map(parsed.filter((entry): entry is [string, string] => Array.isArray(entry) && entry.length === 2))
  } catch {
    return new Map()
  }
}
