/** For tests: projects over a command centre that only notes what it is told. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import type { EntityKey, EntityOutcome, ProjectEntity } from './project.js'
import { Projects } from './projects.js'

export const ACTION = (name: string): string =>
  `DEFINE ACTION ${name}\nON TOPIC "a" DO\n    PUBLISH TOPIC "b" WITH "${name}"\n`
export const MODEL = (name: string, parent?: string): string =>
  `DEFINE MODEL ${name}${parent === undefined ? '' : ` FROM ${parent}`} WITH TOPIC "m"\n    ADD "x" WITH TOPIC "a"\n`

export class World {
  /** What is in force: source by `kind:name`. */
  readonly entities = new Map<string, string>()
  /** Everything that was asked of the command centre. */
  readonly calls: string[] = []
  readonly retained = new Map<string, unknown>()
  /** Published without the retain flag. */
  readonly sent: { topic: string; text: string }[] = []
  readonly remembered = new Map<string, string>()
  readonly folder: string

  constructor(readonly root: string) {
    this.folder = join(root, 'projects')
  }

  /** As after a start of the broker. */
  open(): Projects {
    return new Projects({
      folder: this.folder,
      deployer: {
        deploy: async (_project, entities) => entities.map((entity) => this.#deploy(entity)),
        remove: async (entities) => this.#remove(entities),
      },
      publish: async (messages) => {
        for (const { topic, payload, retain } of messages) {
          const text = Buffer.from(payload).toString()
          const name = topic.replace('$SYS/Coreflux/', '')
          if (!retain) this.sent.push({ topic: name, text })
          else if (text === '') this.retained.delete(name)
          else this.retained.set(name, JSON.parse(text))
        }
      },
      remembered: new Map(this.remembered),
      remember: async (key, text) => {
        if (text === undefined) this.remembered.delete(key)
        else this.remembered.set(key, text)
      },
    })
  }

  /** Refuses entities that hold the word BROKEN, and models without their parent. */
  #deploy({ kind, name, source }: ProjectEntity): EntityOutcome {
    this.calls.push(`add ${kind}:${name}`)
    const parent = /FROM (\w+)/.exec(source)?.[1]
    if (source.includes('BROKEN') || (parent !== undefined && !this.entities.has(`model:${parent}`))) {
      return { success: false, errors: [{ message: 'Expected X', line: 2, column: 5 }] }
    }
    this.entities.set(`${kind}:${name}`, source)
    return { success: true }
  }

  #remove(entities: readonly EntityKey[]): void {
    for (const { kind, name } of entities) {
      this.calls.push(`remove ${kind}:${name}`)
      this.entities.delete(`${kind}:${name}`)
    }
  }
}

export function makeWorld(t: Test): World {
  return new World(t.testdir({}))
}

export function writeTree(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** Tests with Git are skipped where it is not installed. */
export function gitMissing(): string | false {
  try {
    execFileSync('git', ['--version'], { stdio: 'ignore' })
    return false
  } catch {
    return 'git is not installed'
  }
}

/** Runs git as a user would. @returns what it printed */
export function userGit(folder: string, ...given: readonly string[]): string {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', '-c', 'init.defaultBranch=main']
  return execFileSync('git', [...identity, ...given], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }).trim()
}

/** A bare repository with one commit, and a folder that pushes to it. */
export function makeRepository(
  root: string,
  files: Readonly<Record<string, string>>,
): { readonly remote: string; readonly work: string } {
  const remote = join(root, 'plant.git')
  const work = join(root, 'work')
  mkdirSync(work)
  userGit(root, 'init', '--quiet', '--bare', '--initial-branch=main', remote)
  userGit(work, 'init', '--quiet', '--initial-branch=main')
  userGit(work, 'remote', 'add', 'origin', remote)
  commitAndPush(work, files)
  return { remote, work }
}

export function commitAndPush(work: string, files: Readonly<Record<string, string>>, branch = 'main'): void {
  writeTree(work, files)
  userGit(work, 'add', '--all')
  userGit(work, 'commit', '--quiet', '--message', 'change')
  userGit(work, 'push', '--quiet', 'origin', `HEAD:${branch}`)
}
