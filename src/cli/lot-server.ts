/** `merlot lot server`: the language server for editors. */
import type { CommandDefinition } from './command.js'
import { ExitCode } from './exit.js'

export const lotServerCommand: CommandDefinition = {
  name: 'lot server',
  summary: 'Serve an editor on standard input and output (Language Server Protocol)',
  options: [{ flags: '--stdio', kind: 'flag', doc: 'accepted because editors add it' }],
  examples: ['merlot lot server'],
  async run(_values, { stdin, stdout }) {
    const { serveEditor } = await import('../lot/server/server.js')
    const ended = new Promise<void>((resolve) => stdin.once('close', () => resolve()))
    serveEditor(stdin, stdout)
    await ended
    return ExitCode.ok
  },
}
