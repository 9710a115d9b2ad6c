/** Repositories, through the `git` program of the machine. Nothing that a repository contains is run. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { devNull } from 'node:os'
import { dirname, join } from 'node:path'
import { messageOf } from '../base/errors.js'
import { systemCode } from '../base/system-error.js'
import { checkRef, hideCredentials } from './git-address.js'
import type { ProjectStatus } from './project.js'
import { refused } from './refusal.js'

const LOCAL_MS = 30_000
const REMOTE_MS = 300_000
const OUTPUT_BYTES_MAX = 8 * 1_048_576
const CHANGES_MAX = 1_000
const REASON_CHARACTERS_MAX = 500

/** Before every command: no hooks, no programs named by the repository, no transports that run commands. */
const SETTINGS = [
  `core.hooksPath=${devNull}`,
  'core.fsmonitor=false',
  'core.quotePath=false',
  'protocol.ext.allow=never',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  'commit.gpgSign=false',
  'gc.auto=0',
  'maintenance.auto=false',
].flatMap((setting) => ['-c', setting])

/**
 * Copies a repository into a folder that is empty. Symbolic links become small text files.
 * @param address as `checkGitAddress` accepts it, or an absolute path
 * @throws BrokerError PROJECT_REFUSED
 */
export async function cloneRepository(address: string, branch: string | undefined, folder: string): Promise<void> {
  if (branch !== undefined) checkRef(branch)
  const options = ['--quiet', '--no-hardlinks', '--template=', '--config', 'core.symlinks=false']
  if (branch !== undefined) options.push(`--branch=${branch}`)
  await runGit(['clone', ...options, '--', address, folder], undefined, REMOTE_MS)
}

/** @throws BrokerError PROJECT_REFUSED */
export async function initRepository(folder: string): Promise<void> {
  await runGit(['init', '--quiet', '--template=', '.'], folder, LOCAL_MS)
}

/** Fetches, so that branches made since are known, then changes to the ref. */
export async function checkoutRef(folder: string, ref: string): Promise<void> {
  checkRef(ref)
  if ((await remoteOf(folder)) !== undefined) await runGit(['fetch', '--quiet', '--tags', 'origin'], folder, REMOTE_MS)
  await runGit(['checkout', '--quiet', '--no-recurse-submodules', ref, '--'], folder, LOCAL_MS)
}

/** Forward only: what was changed here is never merged or thrown away. */
export async function pullBranch(folder: string, ref: string | undefined): Promise<void> {
  if (ref !== undefined) checkRef(ref)
  const from = ref === undefined ? [] : ['origin', ref]
  await runGit(['pull', '--quiet', '--ff-only', '--no-rebase', '--no-recurse-submodules', ...from], folder, REMOTE_MS)
}

/** Pushes commits of the current branch to the branch of that name, or to another. */
export async function pushBranch(folder: string, ref: string | undefined): Promise<void> {
  if (ref !== undefined) checkRef(ref)
  const target = ref === undefined ? 'HEAD' : `HEAD:refs/heads/${ref}`
  await runGit(['push', '--quiet', '--no-verify', '--recurse-submodules=no', 'origin', target], folder, REMOTE_MS)
}

/** @returns the address of `origin` with passwords hidden; undefined without one */
export async function remoteOf(folder: string): Promise<string | undefined> {
  const settings = await readFile(join(folder, '.git', 'config'), 'utf8').catch(() => '')
  const section = settings.split(/^(?=\s*\[)/m).find((text) => /^\s*\[remote "origin"\]/.test(text))
  const address = section === undefined ? undefined : /^\s*url\s*=\s*(.*?)\s*$/m.exec(section)?.[1]
  return address === undefined ? undefined : hideCredentials(address)
}

export async function repositoryStatus(project: string, folder: string): Promise<ProjectStatus> {
  const arguments_ = ['status', '--porcelain=v2', '--branch', '--untracked-files=normal', '--ignore-submodules=all']
  const lines = (await runGit(arguments_, folder, LOCAL_MS)).split('\n').filter((line) => line !== '')
  const header = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`# branch.${name} `))?.slice(`# branch.${name} `.length)
  const [, ahead, behind] = /^\+(\d+) -(\d+)$/.exec(header('ab') ?? '') ?? []
  const changes = lines.filter((line) => !line.startsWith('#')).map(changeText)
  const head = header('head')
  const commit = header('oid')
  return {
    project,
    git: true,
    branch: head === '(detached)' ? undefined : head,
    commit: commit === '(initial)' ? undefined : commit,
    url: await remoteOf(folder),
    ahead: ahead === undefined ? undefined : Number(ahead),
    behind: behind === undefined ? undefined : Number(behind),
    clean: changes.length === 0,
    changes: changes.slice(0, CHANGES_MAX),
  }
}

/** Number of blank-separated fields before the path, by the first letter of a line of `--porcelain=v2`. */
const FIELDS_BEFORE_PATH: Readonly<Record<string, number>> = { '1': 8, '2': 9, u: 10, '?': 1 }

/** `.M plant.lotnb`, `?? new.lot` */
function changeText(line: string): string {
  const fields = line.split(' ')
  const path = fields
    .slice(FIELDS_BEFORE_PATH[fields[0]!] ?? 1)
    .join(' ')
    .split('\t', 1)[0]
  return `${fields[0] === '?' ? '??' : fields[1]} ${path}`
}

/** @returns what it printed. @throws BrokerError PROJECT_REFUSED with the last lines of its complaint */
function runGit(arguments_: readonly string[], folder: string | undefined, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      cwd: folder,
      env: environment(folder),
      timeout,
      killSignal: 'SIGKILL',
      maxBuffer: OUTPUT_BYTES_MAX,
      windowsHide: true,
    } as const
    const child = execFile('git', [...SETTINGS, ...arguments_], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(refused(failureText(arguments_[0]!, error, stderr, timeout))) // its own message has the whole address
    })
    child.stdin?.end()
  })
}

/** The user's own, without what would lead Git to another repository, and nobody is asked for a password. */
function environment(folder: string | undefined): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('GIT_') || name === 'GIT_SSH_COMMAND' || name.startsWith('GIT_SSL_'),
  )
  return {
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
    ...Object.fromEntries(own),
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
    GIT_OPTIONAL_LOCKS: '0',
    ...(folder === undefined ? {} : { GIT_CEILING_DIRECTORIES: dirname(folder) }),
    LC_ALL: 'C',
  }
}

function failureText(command: string, error: Error & { killed?: boolean }, stderr: string, timeoutMs: number): string {
  if (systemCode(error) === 'ENOENT')
    return 'the program git is not installed on this machine; install it, or use zip files'
  if (error.killed === true) return `git ${command} took more than ${timeoutMs / 1_000} s`
  const said = stderr.trim() === '' ? messageOf(error).split('\n', 1)[0]! : stderr.trim()
  const shown = hideCredentials(said.slice(-2 * REASON_CHARACTERS_MAX)) // what is cut off first is not shown later
  return `git ${command} failed: ${shown.slice(-REASON_CHARACTERS_MAX)}`
}
