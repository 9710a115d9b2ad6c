/** Stands for a thread of any kind: does nothing but say in the log what it is told. */
import { createPortLogger } from '../base/log-port.js'
import { serve } from '../base/rpc.js'
import type { LotApi } from '../contracts/lot.js'
import type { ConnectionApi, ShardApi, StorageApi, ThreadTask } from '../contracts/threads.js'

type Heard = Omit<
  ShardApi & ConnectionApi,
  'shutDown' | 'replaceShard' | 'retainedValues' | 'decide' | 'explainAccess'
> &
  Pick<LotApi, 'replaceShard'> &
  Pick<StorageApi, 'open' | 'confirm' | 'replaceShards'>

function kindOf(task: ThreadTask): string {
  if ('gate' in task) return 'storage'
  if ('connections' in task) return 'shard'
  return 'events' in task ? 'lot' : 'connection'
}

export default async function run(task: ThreadTask): Promise<void> {
  const log = createPortLogger(task.config.log, task.log)
  const kind = kindOf(task)
  const say = (text: string): void => log.info(`${kind} ${task.index}: ${text}`)
  say('started')
  const nothing = { sessions: 0, messages: 0, retained: 0, unreadSessions: 0 }
  const api: Heard = {
    tick: () => {},
    settle: async () => false,
    reconfigure: () => say('reconfigure'),
    sessions: () => [],
    publish: () => {},
    open: async () => ({ quarantined: undefined }),
    confirm: () => {},
    replaceShards: () => say('replaceShards'),
    ready: async () => nothing,
    readSessions: async () => 0,
    beginRouting: () => {},
    readMessages: async () => 0,
    async listen(ports) {
      say(`listen ${ports}`)
      return ports.map((port) => port || 1_883)
    },
    replaceShard: async (index) => say(`replaceShard ${index}`),
    changeAccess: () => {},
    changeCredentials: () => {},
    changeBans: () => {},
    reloadTls: () => [],
    replaceLot: () => say('replaceLot'),
    replaceConnectionThread: (index) => say(`replaceConnectionThread ${index}`),
    replacePeer: (index) => say(`replacePeer ${index}`),
  }
  await serve(api, task.control)
}
