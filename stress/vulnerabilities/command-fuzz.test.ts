/** Texts sent as commands by those who may not send any, or only some: nothing happens, and the broker lives. */
import t from 'tap'
import { seededRandom } from '../load/random.js'
import type { RawClient } from '../support/raw-client.js'
import { PASSWORD, SecuredBroker } from './secured-broker.fixture.js'
import { mutated } from './text-mutations.fixture.js'

const ROUNDS = 150
const SEED = 6
const COMMAND_TOPIC = '$SYS/Coreflux/Command'

/** Each of them would leave a trace, if it were carried out. */
const COMMANDS = [
  '-addRule DEFINE RULE Backdoor WITH PRIORITY 100 FOR Publish TO TOPIC "#"\n    ALLOW',
  '-removeRule AllowConnect',
  '-removeAllRules',
  '-addAction DEFINE ACTION Backdoor\nON EVERY 1 SECOND DO\n    PUBLISH TOPIC "a" WITH "b"',
  '-addModel DEFINE MODEL Backdoor WITH TOPIC "a"\n    ADD "b" WITH 1',
  '-setEnv BACKDOOR=1',
  '-setSecret BACKDOOR=1',
  '-addPython # Script Name: backdoor\ndef f():\n    return 1',
  '-ban address 192.0.2.7',
  '-changeUserPassword root "another password"',
  '-auditQuery',
  '-lotProject',
]

const broker = await SecuredBroker.start(t, ['ann', 'eve'])

async function state(): Promise<unknown> {
  const commands = ['-listRules', '-listActions', '-listModels', '-listUsers', '-listBans', '-listEnv', '-listPython']
  const replies = []
  for (const command of commands) replies.push((await broker.running.command(command))?.data)
  return replies
}

async function attack(client: RawClient, seed: number, onAnswer: (reasonCode: number, text: string) => void) {
  const random = seededRandom(seed)
  for (let round = 0; round < ROUNDS; round++) {
    const text = mutated(COMMANDS[round % COMMANDS.length]!, random)
    const qos = 1 + (round % 2)
    onAnswer(await client.publish(COMMAND_TOPIC, text, { qos, retain: round % 3 === 0 }), text)
  }
  await broker.clients.settle()
}

t.test('a user without rights is refused, whatever it sends', async (t) => {
  const before = await state()
  const ann = await broker.as('ann')
  await attack(ann, SEED, (reasonCode, text) => {
    if (reasonCode !== 0x87) t.fail(`0x${reasonCode.toString(16)} for ${text}`)
  })
  t.same(await state(), before)
  t.notOk(ann.closed)
})

t.test('a user who may manage users can do nothing else, and cannot become root', async (t) => {
  await broker.command('-changeUserSettings eve AllowedUserManagement true')
  const before = await state()
  const eve = await broker.as('eve')
  const owner = await broker.as('root')
  await owner.subscribe('$SYS/Coreflux/Command/Output', { qos: 1 })
  await attack(eve, SEED + 1, (reasonCode, text) => {
    if (reasonCode >= 0x80) t.fail(`0x${reasonCode.toString(16)} for ${text}`)
  })
  t.same(await state(), before)
  t.ok(owner.messages.length > ROUNDS / 2, 'each is answered')
  t.ok(
    owner.messages.some(({ text }) => /not authorized|not allowed|may not/i.test(text)),
    'and denied',
  )
  const root = await broker.as('root', { clientId: 'root-again', password: PASSWORD })
  t.equal(root.connack?.reasonCode, 0)
  broker.clients.close()
})

t.test('what the audit trail answers goes to the session of its sender alone', async (t) => {
  const output = '$SYS/Coreflux/Command/Output'
  // in both shards
  const askers = await Promise.all(['a', 'b', 'c', 'd'].map((clientId) => broker.as('root', { clientId })))
  const eve = await broker.as('eve')
  const member = await broker.as('root', { clientId: 'member' })
  await Promise.all([...askers, eve].map((client) => client.subscribe(output)))
  await member.subscribe(`$share/g/${output}`)
  for (const asker of askers) {
    await asker.publish(COMMAND_TOPIC, '-auditQuery -requestId mine', { qos: 1 })
    const { text } = await asker.takePacket('publish')
    t.match(JSON.parse(text), { success: true, requestId: 'mine', data: [{}] })
  }
  await askers[0]!.publish(COMMAND_TOPIC, '-listUsers', { qos: 1 })
  await Promise.all([...askers, eve, member].map((client) => client.takePacket('publish')))
  const answered = ({ messages }: RawClient) =>
    messages.map(({ text }) => (JSON.parse(text) as { command: string }).command)
  for (const asker of askers) t.same(answered(asker), ['AuditQuery', 'ListUsers'])
  for (const other of [eve, member]) t.same(answered(other), ['ListUsers'], 'other answers go to all')
  broker.clients.close()
})
