/** `merlot version`. */
import { programVersion } from '../base/version.js'
import type { CommandDefinition } from './command.js'
import { ExitCode } from './exit.js'

/** `Merlot 0.1.0 (Node.js 20.18.0, linux x64)` */
export function versionLine(): string {
  return `Merlot ${programVersion()} (Node.js ${process.versions.node}, ${process.platform} ${process.arch})`
}

export const versionCommand: CommandDefinition = {
  name: 'version',
  summary: 'Print the versions of Merlot and Node.js, and the platform',
  options: [],
  examples: ['merlot version'],
  async run(_values, { stdout }) {
    stdout.write(`${versionLine()}\n`)
    return ExitCode.ok
  },
}
