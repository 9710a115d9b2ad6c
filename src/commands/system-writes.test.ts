import t from 'tap'
import { encodeText } from '../base/bytes.js'
import { BrokerError } from '../base/errors.js'
import { createSinkLogger, type LogRecord } from '../base/log.js'
import { ManualClock } from '../base/manual-clock.fixture.js'
import { BrokerConfig } from '../config/schema.js'
import type { AuditRecord } from '../contracts/audit.js'
import type { Identity } from '../contracts/security.js'
import type { Reply } from './envelope.js'
import { SystemWrites } from './system-writes.js'

const ann: Identity = { userName: 'ann', clientId: 'hub', address: '192.0.2.1', port: 1, claims: undefined }

function setUp(
  allowed = true,
  change: (text: string) => Promise<void> = async () => {},
  asking: () => Promise<void> = async () => {},
) {
  const documents: string[] = []
  const answers: (readonly [command: string, reply: Reply])[] = []
  const logged: LogRecord[] = []
  const asked: string[] = []
  const audited: AuditRecord[] = []
  const writes = new SystemWrites({
    configuration: {
      asked: BrokerConfig.parse({}),
      needsRestart: [],
      async change(text) {
        documents.push(text)
        await change(text)
        return { changed: ['session.inflightMax'], needsRestart: ['listeners.0'], warnings: ['unwise'] }
      },
    },
    decide: async ({ scope }) => {
      asked.push(scope)
      await asking()
      return { allowed, rule: undefined, reason: '', reads: [] }
    },
    audit: { record: (record) => audited.push(record) },
    log: createSinkLogger({ level: 'info', areas: {} }, (record) => logged.push(record)),
    clock: new ManualClock(),
    answer: async (command, reply) => void answers.push([command, reply]),
  })
  const write = (text: string, identity: Identity | undefined = ann, topic = '$SYS/Coreflux/Config/New') =>
    writes.take({ kind: 'write', topic, payload: encodeText(text), identity })
  return { writes, write, documents, answers, logged, asked, audited }
}

t.test('Config/New changes the configuration for those who may configure', async (t) => {
  const { write, answers, documents, asked, audited } = setUp()
  await write('{"Port": 1}')
  t.same(documents, ['{"Port": 1}'])
  t.same(asked, ['SystemConfiguration'])
  const message = 'Configuration changed successfully: session.inflightMax. After a restart: listeners.0.'
  const data = { changed: ['session.inflightMax'], needsRestart: ['listeners.0'] }
  t.same(answers, [['SetConfig', { success: true, message, data, warnings: ['unwise'] }]])
  const record = {
    kind: 'configuration',
    user: 'ann',
    clientId: 'hub',
    what: 'SetConfig',
    success: true,
    detail: message,
  }
  t.match(audited, [record])
})

t.test('nobody else: neither clients without the right nor Actions', async (t) => {
  const denied = setUp(false)
  await denied.write('{}')
  t.match(denied.audited, [{ kind: 'denial', user: 'ann', what: 'SetConfig', success: false }])
  t.match(denied.answers, [['SetConfig', { success: false, message: /^Permission denied/ }]])
  const { writes, documents, answers } = setUp()
  const topic = '$SYS/Coreflux/Config/New'
  await writes.take({ kind: 'write', topic, payload: encodeText('{}'), identity: undefined })
  t.match(answers, [['SetConfig', { success: false, message: /^Permission denied: Actions/ }]])
  t.same([...documents, ...denied.documents], [])
})

t.test('each problem is an error of its own', async (t) => {
  const { write, answers, logged } = setUp(true, async () => {
    throw new BrokerError('CONFIG_INVALID', { problem: 'a is unknown\n  b is unknown' })
  })
  await write('{}')
  t.match(answers[0][1], {
    success: false,
    message: 'The configuration was not changed: a is unknown',
    errors: [{ message: 'a is unknown' }, { message: 'b is unknown' }],
  })
  t.match(logged, [{ level: 'warn', message: /^The configuration was not changed/ }])
})

t.test('changes are made one after the other, and only some may wait', async (t) => {
  const ends: (() => void)[] = []
  const { write, documents, answers } = setUp(true, () => new Promise((resolve) => ends.push(resolve)))
  const all = Array.from({ length: 20 }, (_, number) => write(`${number}`))
  await new Promise(setImmediate)
  t.same(documents, ['0'])
  t.equal(answers.length, 4)
  t.match(answers[0][1], { success: false, message: /^Too many changes/ })
  while (answers.length < 20) {
    ends.shift()?.()
    await new Promise(setImmediate)
  }
  await Promise.all(all)
  t.same(
    documents,
    Array.from({ length: 16 }, (_, number) => `${number}`),
  )
})

t.test('one that fails because a thread has ended is answered, and does not stop the next', async (t) => {
  let isGone = true
  const { write, answers, audited, documents } = setUp(true, undefined, async () => {
    if (isGone) throw new Error('the thread has ended')
  })
  await Promise.all([write('1'), write('2')])
  t.match(answers, [
    ['SetConfig', { success: false, message: /could not be changed: the thread has ended/ }],
    ['SetConfig', { success: false }],
  ])
  t.match(audited, [{ kind: 'configuration', user: 'ann', success: false }, { success: false }])
  isGone = false
  await write('3')
  t.match(answers[2][1], { success: true })
  t.same(documents, ['3'])
})

t.test('an event for a route is said to have no effect', async (t) => {
  const { write, answers, logged } = setUp()
  for (let time = 0; time < 100; time++) await write('x', ann, '$SYS/Coreflux/Routes/R/Events/E')
  t.same(answers, [])
  t.equal(logged.length, 5)
  t.match(logged[0], { level: 'warn', fields: { topic: '$SYS/Coreflux/Routes/R/Events/E' } })
})
