import t from 'tap'
import type { AccessQuestion } from '../contracts/security.js'
import { ACCESS_COMMANDS, accessQuestion } from './access-command.js'
import type { CommandServices } from './command.js'
import { parseCommandLine } from './command-line.js'

t.test('what is asked', async (t) => {
  const scopeOf = (operation: string, topic?: string) => {
    const question = accessQuestion({ operation, topic })
    return typeof question === 'string' ? question : [question.scope, question.topic]
  }
  t.same(scopeOf('publish', 'a/b'), ['Publish', 'a/b'])
  t.same(scopeOf('PUBLISH', '$SYS/Coreflux/Command'), ['PublishSys', '$SYS/Coreflux/Command'])
  t.same(scopeOf('PublishSys', 'a'), ['Publish', 'a'], 'the topic decides')
  t.same(scopeOf('subscribe', '$SYS/#'), ['SubscribeSys', '$SYS/#'])
  t.same(scopeOf('subscribe', '$share/group/a/+'), ['Subscribe', 'a/+'])
  t.same(scopeOf('connect'), ['Connect', undefined])
  t.same(scopeOf('command'), ['CommandCall', undefined])
  t.same(scopeOf('userManagementUpdate'), ['UserManagementUpdate', undefined])
  t.match(scopeOf('publish', 'a/+'), /"a\/\+" is not a topic/)
  t.match(scopeOf('publish'), /publish needs a topic/)
  t.match(scopeOf('subscribe'), /subscribe needs a topic filter/)
  t.match(scopeOf('subscribe', 'a/#/b'), /is not a topic filter: # is not the last level/)
  t.match(scopeOf('connect', 'a'), /Connect is asked without a topic/)
  t.match(scopeOf('fly'), /fly is neither publish/)
  for (const name of ['constructor', 'toString', '__proto__']) t.match(scopeOf(name), / is neither publish/, name)
  t.match(accessQuestion({ operation: 'connect', user: 5 }), /user must be a text/)
  t.match(accessQuestion({ operation: 'connect', groups: 'g' }), /groups must be a list/)
  t.match(accessQuestion({}), /Expected JSON/)
  t.match(accessQuestion(undefined), /Expected JSON/)
  t.match(accessQuestion({ operation: 'connect', user: 'ann', client: 'c', address: '::1', groups: ['g'] }), {
    identity: { userName: 'ann', clientId: 'c', address: '::1', claims: { groups: ['g'], publish: undefined } },
  })
  t.match(accessQuestion({ operation: 'connect' }), { identity: { userName: undefined, claims: undefined } })
})

t.test('the answer names the rule', async (t) => {
  const asked: AccessQuestion[] = []
  const access = {
    async explain(question: AccessQuestion) {
      asked.push(question)
      return {
        decision: { allowed: false, rule: 'Night', reason: 'rule Night', reads: ['mode'] },
        considered: [{ rule: 'Night', priority: 150, outcome: 'deny' as const }],
      }
    },
  }
  const [command] = ACCESS_COMMANDS
  const send = (text: string) => command.answer(parseCommandLine(text)!, { access } as unknown as CommandServices)
  t.same(await send('-checkAccess {"user": "ann", "operation": "publish", "topic": "line/1"}'), {
    success: true,
    message: 'Denied: rule Night.',
    data: {
      allowed: false,
      rule: 'Night',
      reason: 'rule Night',
      considered: [{ rule: 'Night', priority: 150, outcome: 'deny' }],
      warnings: [],
    },
    warnings: [],
  })
  t.match(asked, [{ scope: 'Publish', topic: 'line/1', identity: { userName: 'ann' } }])
  t.match(await send('-checkAccess ann publish'), { success: false, message: /Expected JSON/ })
})
