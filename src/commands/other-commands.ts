/** Commands that this version does not carry out, and says so; and those that concern the broker as a whole. */
import type { AnswerCommand } from './command.js'
import { failure } from './envelope.js'

const NOT_SUPPORTED: Readonly<Record<string, readonly string[]>> = {
  'Users are not supported yet': [
    'AddUser',
    'RemoveUser',
    'ChangeUserPassword',
    'ChangeUserSettings',
    'AddUserToGroup',
    'RemoveUserFromGroup',
    'ListUserGroups',
  ],
  'The audit trail is not supported yet': ['AuditStatus', 'AuditQuery', 'DecryptAudit'],
  'Trace logs are not supported yet': ['AddTraceLog', 'ListTraceLogs', 'RemoveTraceLog', 'RemoveAllTraceLogs'],
  'This broker needs no license': ['LoadLicense'],
  'Asset commands are not supported': [
    'L',
    'I',
    'Install',
    'U',
    'Uninstall',
    'Run',
    'Stop',
    'AssetHelp',
    'AssetDefaultConfig',
    'AssetConfigLoad',
    'AssetConfigSave',
  ],
}

export const OTHER_COMMANDS: readonly AnswerCommand[] = [
  ...Object.entries(NOT_SUPPORTED).flatMap(([message, names]) =>
    names.map((name) => ({ name, answer: () => failure(message) })),
  ),
  {
    name: 'UpdateData',
    answer(_line, { updateStatistics }) {
      updateStatistics()
      return undefined
    },
  },
]
