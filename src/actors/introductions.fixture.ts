/** For tests of threads without a command centre: everybody may do everything, and there are no users. */
import type { SupervisorOptions } from './supervisor.js'

const RULES = [
  'DEFINE RULE Connecting WITH PRIORITY 100 FOR Connect\n    ALLOW',
  'DEFINE RULE Publishing WITH PRIORITY 100 FOR Publish TO TOPIC "#"\n    ALLOW',
  'DEFINE RULE Subscribing WITH PRIORITY 100 FOR Subscribe TO TOPIC "#"\n    ALLOW',
  'DEFINE RULE Watching WITH PRIORITY 100 FOR SubscribeSys TO TOPIC "$SYS/#"\n    ALLOW',
]
const KEY = Buffer.alloc(32).toString('base64')

export const EVERYBODY: Pick<
  SupervisorOptions,
  'introduceShard' | 'introduceConnection' | 'onBanReport' | 'controlToken'
> = {
  introduceShard: ({ api }) => api.changeAccess({ rules: RULES, users: [], removedUsers: [], isWhole: true }),
  introduceConnection: ({ api }) =>
    api.changeCredentials({ users: [], removedUsers: [], isWhole: true, decoyKey: KEY }),
  onBanReport: () => {},
  controlToken: undefined,
}
