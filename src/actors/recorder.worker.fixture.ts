/** Stands for a shard or a connection thread: does nothing but say in the log what it is told. */
import { createPortLogger } from '../base/log-port.js'
import { serve } from '../base/rpc.js'
import type { ConnectionApi, ShardApi, ThreadTask } from '../contracts/threads.js'

export default async function run(task: ThreadTask): Promise<void> {
  const log = createPortLogger(task.config.log, task.log)
  const kind = 'connections' in task ? 'shard' : 'connection'
  const say = (text: string): void => log.info(`${kind} ${task.index}: ${text}`)
  say('started')
  const nothing = { sessions: 0, messages: 0, retained: 0, damaged: 0 }
  const api: Omit<ShardApi & ConnectionApi, 'shutDown'> = {
    tick: () => {},
    settle: async () => false,
    publish: () => {},
    ready: async () => nothing,
    loaded: async () => 0,
    async listen(ports) {
      say(`listen ${ports}`)
      return ports.map((port) => port || 1_883)
    },
    replaceShard: (index) => say(`replaceShard ${index}`),
    replaceConnectionThread: (index) => say(`replaceConnectionThread ${index}`),
    replacePeer: (index) => say(`replacePeer ${index}`),
  }
  await serve(api, task.control)
}
