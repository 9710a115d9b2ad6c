/** Commands that this version does not carry out, and says so; and those that concern the broker as a whole. */
import type { AnswerCommand, Command } from './command.js'
import { failure } from './envelope.js'

const LOGS =
  'Trace logs are not supported: subscribe to the topics instead; -actionTrace tells what an action does, and the log of the broker what the broker does'
const ASSETS = 'Asset commands are not supported'

const NOT_SUPPORTED: readonly (readonly [name: string, scope: Command['scope'], message: string])[] = [
  ['AddTraceLog', 'LogManagementCreation', LOGS],
  ['ListTraceLogs', 'LogManagementRead', LOGS],
  ['RemoveTraceLog', 'LogManagementRemove', LOGS],
  ['RemoveAllTraceLogs', 'LogManagementRemove', LOGS],
  ['LoadLicense', 'SystemConfiguration', 'This broker needs no license'],
  ['L', 'none', ASSETS],
  ['I', 'none', ASSETS],
  ['Install', 'none', ASSETS],
  ['U', 'none', ASSETS],
  ['Uninstall', 'none', ASSETS],
  ['Run', 'none', ASSETS],
  ['Stop', 'none', ASSETS],
  ['AssetHelp', 'none', ASSETS],
  ['AssetDefaultConfig', 'none', ASSETS],
  ['AssetConfigLoad', 'none', ASSETS],
  ['AssetConfigSave', 'none', ASSETS],
]

export const OTHER_COMMANDS: readonly AnswerCommand[] = [
  ...NOT_SUPPORTED.map(([name, scope, message]) => ({ name, scope, answer: () => failure(message) })),
  {
    name: 'UpdateData',
    scope: 'none',
    answer(_line, { updateStatistics }) {
      updateStatistics()
      return undefined
    },
  },
]
