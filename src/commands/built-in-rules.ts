/** The rules that come with the broker, as LoT. */

type NamedText = readonly [name: string, text: string]

const OPEN_PRIORITY = 1_000_000
const LOCKED_PRIORITY = 10

const SYSTEM = ['AllowedSystemConfiguration']
const USERS = ['AllowedUserManagement']
const LOGS = ['AllowedLogManagement']

/** Allows a scope to the user `admin` and to those with one of the properties; others are left to later rules. */
function gate(name: string, scope: string, properties: readonly string[], topic?: string): NamedText {
  const holders = ['USER IS "admin"', ...properties.map((property) => `USER HAS ${property}`)].join(' OR ')
  return [name, `${header(name, LOCKED_PRIORITY, scope, topic)}\n    IF ${holders} THEN\n        ALLOW`]
}

function seed(name: string, scope: string, topic?: string): NamedText {
  return [name, `${header(name, OPEN_PRIORITY, scope, topic)}\n    ALLOW`]
}

function header(name: string, priority: number, scope: string, topic: string | undefined): string {
  const on = topic === undefined ? '' : ` TO TOPIC "${topic}"`
  return `DEFINE RULE ${name} WITH PRIORITY ${priority} FOR ${scope}${on}`
}

/** Locked: `root` passes all rules anyway, and nobody can take these away from the others. */
export const BUILT_IN_RULES: readonly NamedText[] = [
  gate('AllowCommandCall', 'CommandCall', [...USERS, ...SYSTEM]),
  gate('AllowPublishSysCommand', 'PublishSys', [...USERS, ...SYSTEM], '$SYS/Coreflux/Command'),
  gate('AllowSubscribeCommandOutput', 'SubscribeSys', [...USERS, ...SYSTEM], '$SYS/Coreflux/Command/Output'),
  gate('AllowSubscribeProjects', 'SubscribeSys', [...USERS, ...SYSTEM], '$SYS/Coreflux/Projects/#'),
  gate('AllowSubscribeSysClient', 'SubscribeSys', SYSTEM, '$SYS/#'),
  gate('AllowSystemConfiguration', 'SystemConfiguration', SYSTEM),
  gate('AllowModelCreation', 'ModelManagementCreation', SYSTEM),
  gate('AllowModelRemove', 'ModelManagementRemove', SYSTEM),
  gate('AllowActionCreation', 'ActionManagementCreation', SYSTEM),
  gate('AllowActionRemove', 'ActionManagementRemove', SYSTEM),
  gate('AllowActionRun', 'ActionManagementRun', SYSTEM),
  gate('AllowRouteCreation', 'RouteManagementCreation', SYSTEM),
  gate('AllowRouteRemove', 'RouteManagementRemove', SYSTEM),
  gate('AllowRuleCreation', 'RuleManagementCreation', SYSTEM),
  gate('AllowRuleRemove', 'RuleManagementRemove', SYSTEM),
  gate('AllowUserCreation', 'UserManagementCreation', USERS),
  gate('AllowUserRemove', 'UserManagementRemove', USERS),
  gate('AllowUserPasswordChange', 'UserManagementPasswordChange', USERS),
  gate('AllowUserUpdate', 'UserManagementUpdate', USERS),
  gate('AllowLogCreation', 'LogManagementCreation', LOGS),
  gate('AllowLogUpdate', 'LogManagementUpdate', LOGS),
  gate('AllowLogRemove', 'LogManagementRemove', LOGS),
  gate('AllowLogRead', 'LogManagementRead', LOGS),
]

/** @param scope of a command */
export function grantRemedy(scope: string): string {
  const right = GRANTED_APART.find((name) => scope.startsWith(name)) ?? 'SystemConfiguration'
  return `it takes ${right}, which "merlot user grant" gives`
}

const GRANTED_APART = ['UserManagement', 'LogManagement']

/** Open for ordinary topics until a user removes them; `-restoreRules` brings them back. */
export const SEED_RULES: readonly NamedText[] = [
  seed('AllowPublishTopic', 'Publish', '#'),
  seed('AllowSubscribeTopic', 'Subscribe', '#'),
  seed('AllowConnect', 'Connect'),
]
