import t from 'tap'
import type { RunningThread } from './actors/thread-pool.js'
import type { AccessChange, CredentialsChange } from './contracts/security.js'
import type { ConnectionApi, ShardApi } from './contracts/threads.js'
import { SecurityControl, type WholeSecurity } from './security-control.js'

const CHANGE = { users: [], removedUsers: ['ann'], isWhole: false }
const WHOLE = { users: [], removedUsers: [], isWhole: true }

t.test('changes are counted, for shards and connection threads alike', async (t) => {
  const told: string[] = []
  const shard = {
    api: { changeAccess: async ({ isWhole, number }: AccessChange) => void told.push(`shard ${isWhole} ${number}`) },
  } as unknown as RunningThread<ShardApi>
  const connection = {
    api: {
      changeBans: async () => {},
      changeCredentials: async ({ isWhole, number }: CredentialsChange) =>
        void told.push(`connection ${isWhole} ${number}`),
    },
  } as unknown as RunningThread<ConnectionApi>
  const whole: WholeSecurity = {
    wholeAccess: () => WHOLE,
    wholeCredentials: () => WHOLE,
    bans: { whole: () => ({ bans: [], lifted: [], isWhole: true }), take: () => {} },
  }
  const control = new SecurityControl({ shards: [shard], connections: [connection] }, () => whole)
  await control.introduceShard(shard)
  await control.tell(CHANGE, CHANGE)
  await control.tell(CHANGE, CHANGE)
  await control.introduceConnection(connection)
  await control.introduceShard(shard)
  t.same(told, [
    'shard true 0',
    'shard false 1',
    'connection false 1',
    'shard false 2',
    'connection false 2',
    'connection true 2',
    'shard true 2',
  ])
})

t.test('a thread that does not take a change is ended when all others know', async (t) => {
  const log: string[] = []
  const threads = (kind: string, ...refusals: readonly (Error | undefined)[]) =>
    refusals.map((refusal, index) => {
      const change = async () => {
        log.push(`${kind} ${index} asked`)
        if (refusal !== undefined) throw refusal
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
        log.push(`${kind} ${index} knows`)
      }
      const api = { changeAccess: change, changeCredentials: change }
      return { api, ended: new Promise(() => {}), end: () => log.push(`${kind} ${index} ended`) }
    })
  const supervisor = {
    shards: threads('shard', new Error('unreadable'), undefined) as unknown as RunningThread<ShardApi>[],
    connections: threads('connection', undefined) as unknown as RunningThread<ConnectionApi>[],
  }
  const control = new SecurityControl(supervisor, () => t.fail() as never)
  await t.rejects(control.tell(CHANGE, CHANGE), { message: 'unreadable' })
  t.same(log.filter((line) => !line.endsWith('asked')).sort(), ['connection 0 knows', 'shard 0 ended', 'shard 1 knows'])
})
