/** The package of this program: its folder and its version. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Package {
  readonly folder: string
  readonly version: string
}

/** `0.1.0`; `unknown` where the compiled files were taken out of their package. */
export function programVersion(): string {
  return findPackage()?.version ?? 'unknown'
}

/** The folder of package.json, for scripts and tests. @throws Error where there is none */
export function packageFolder(): string {
  const found = findPackage()
  if (found === undefined) throw new Error('these files are in no package of the name merlot')
  return found.folder
}

function findPackage(): Package | undefined {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    const file = join(folder, 'package.json')
    if (existsSync(file)) {
      const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string }
      if (name === 'merlot' && version !== undefined) return { folder, version }
    }
    const parent = dirname(folder)
    if (parent === folder) return undefined
    folder = parent
  }
}
