/** The commands of the program. Each is loaded when it is asked for: what it needs, the others do not wait for. */
import type { CommandDefinition } from './command.js'

/** By their names, in the order of the help. */
export const COMMANDS: ReadonlyMap<string, () => Promise<CommandDefinition>> = new Map([
  ['start', async () => (await import('./start.js')).startCommand],
  ['check', async () => (await import('./check.js')).checkCommand],
  ['config', async () => (await import('./config.js')).configCommand],
  ['pub', async () => (await import('./pub.js')).pubCommand],
  ['sub', async () => (await import('./sub.js')).subCommand],
  ['command', async () => (await import('./broker-command.js')).brokerCommand],
  ['record', async () => (await import('./record.js')).recordCommand],
  ['user add', async () => (await import('./user.js')).userAddCommand],
  ['user remove', async () => (await import('./user.js')).userRemoveCommand],
  ['user passwd', async () => (await import('./user.js')).userPasswordCommand],
  ['user list', async () => (await import('./user.js')).userListCommand],
  ['user grant', async () => (await import('./user.js')).userGrantCommand],
  ['user revoke', async () => (await import('./user.js')).userRevokeCommand],
  ['user group', async () => (await import('./user.js')).userGroupCommand],
  ['ban add', async () => (await import('./ban.js')).banAddCommand],
  ['ban remove', async () => (await import('./ban.js')).banRemoveCommand],
  ['ban list', async () => (await import('./ban.js')).banListCommand],
  ['python install', async () => (await import('./python.js')).pythonInstallCommand],
  ['python remove', async () => (await import('./python.js')).pythonRemoveCommand],
  ['python list', async () => (await import('./python.js')).pythonListCommand],
  ['audit verify', async () => (await import('./audit.js')).auditVerifyCommand],
  ['audit query', async () => (await import('./audit.js')).auditQueryCommand],
  ['audit export', async () => (await import('./audit.js')).auditExportCommand],
  ['lot check', async () => (await import('./lot-check.js')).lotCheckCommand],
  ['lot fmt', async () => (await import('./lot-format.js')).lotFormatCommand],
  ['lot explain', async () => (await import('./lot-explain.js')).lotExplainCommand],
  ['lot run', async () => (await import('./lot-run.js')).lotRunCommand],
  ['lot test', async () => (await import('./lot-test.js')).lotTestCommand],
  ['lot replay', async () => (await import('./lot-replay.js')).lotReplayCommand],
  ['lot server', async () => (await import('./lot-server.js')).lotServerCommand],
  ['rule check', async () => (await import('./rule-check.js')).ruleCheckCommand],
  ['rule test', async () => (await import('./rule-test.js')).ruleTestCommand],
  ['store inspect', async () => (await import('./store.js')).inspectCommand],
  ['store verify', async () => (await import('./store.js')).verifyCommand],
  ['store export', async () => (await import('./store-transfer.js')).exportCommand],
  ['store import', async () => (await import('./store-transfer.js')).importCommand],
  ['store compact', async () => (await import('./store.js')).compactCommand],
  ['store backup', async () => (await import('./store.js')).backupCommand],
  ['version', async () => (await import('./version.js')).versionCommand],
])

export function allCommands(): Promise<CommandDefinition[]> {
  return Promise.all([...COMMANDS.values()].map((load) => load()))
}

/**
 * @param args without the program's name
 * @returns the command that they name; where they name none, all: help and what is said of a wrong name want them
 */
export async function commandsFor([first, second]: readonly string[]): Promise<CommandDefinition[]> {
  const load = COMMANDS.get(first) ?? COMMANDS.get(`${first} ${second}`)
  return load === undefined ? allCommands() : [await load()]
}
