/** What the arguments of `-addProject` mean. */
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { isZip64, zipOfText } from './archive.js'
import { checkGitAddress, checkProjectName, checkRef, isGitAddress, nameFromAddress } from './git-address.js'
import { refused } from './refusal.js'

export type ProjectSource =
  | { readonly kind: 'git'; readonly name: string; readonly address: string; readonly branch: string | undefined }
  | { readonly kind: 'zipText'; readonly name: string; readonly zip: Buffer }
  | { readonly kind: 'zipFile'; readonly name: string; readonly path: string }
  | { readonly kind: 'folder'; readonly name: string; readonly path: string }

export interface AddRequest {
  readonly source: ProjectSource
  readonly load: boolean
}

const USAGE = 'use -addProject <git address | folder | file.zip | zip64:BASE64> [branch or name] [load]'
/** Of archives that came without a name. */
const NAMELESS = 'project'

/** @throws BrokerError PROJECT_REFUSED */
export function readAddArguments(given: readonly string[]): AddRequest {
  const load = given.length > 1 && given.at(-1)?.toLowerCase() === 'load'
  const [source, second, ...rest] = load ? given.slice(0, -1) : given
  if (source === undefined || source === '' || rest.length > 0) throw refused(USAGE)
  return { source: readSource(source, second), load }
}

function readSource(source: string, second: string | undefined): ProjectSource {
  if (isZip64(source)) return { kind: 'zipText', name: givenName(second) ?? NAMELESS, zip: zipOfText(source) }
  if (isGitAddress(source) && !existsSync(source)) {
    checkGitAddress(source)
    return gitSource(source, second)
  }
  const path = resolve(source)
  if (!existsSync(path)) throw refused(`${path} does not exist; ${USAGE}`)
  if (statSync(path).isFile()) return { kind: 'zipFile', name: givenName(second) ?? nameFromAddress(path), path }
  if (path.endsWith('.git')) return gitSource(path, second)
  return { kind: 'folder', name: givenName(second) ?? nameFromAddress(path), path }
}

function gitSource(address: string, branch: string | undefined): ProjectSource {
  if (branch !== undefined) checkRef(branch)
  return { kind: 'git', name: nameFromAddress(address), address, branch }
}

function givenName(name: string | undefined): string | undefined {
  if (name !== undefined) checkProjectName(name)
  return name
}
