import t from 'tap'
import type { Identity } from '../contracts/security.js'
import { auditOfCommand } from './command-audit.js'
import { parseCommandLine } from './command-line.js'
import { COMMAND_TABLE, writtenName } from './command-table.js'
import { denied, failure, type Reply, success } from './envelope.js'

const SENDER: Identity = { userName: 'ann', clientId: 'hub', address: '2001:db8::7', port: 49_152, claims: undefined }
const SECRET = 'hunter2'

function whatOf(text: string, reply: Reply | undefined = success('')): string {
  const line = parseCommandLine(text)
  return auditOfCommand(line, COMMAND_TABLE.get(line?.key ?? ''), reply, SENDER).what
}

t.test('no command shows more than the names in it', async (t) => {
  const texts = [
    `alpha beta ${SECRET} ${SECRET}`,
    `"alpha" beta "${SECRET}"`,
    `alpha beta=${SECRET}`,
    `alpha=${SECRET}`,
    `{"password":"${SECRET}"}`,
    `lot64:${SECRET}`,
    `cert64:${SECRET}`,
    `https://user:${SECRET}@git.example.org/a.git`,
    `DEFINE RULE alpha WITH PRIORITY 100 FOR Publish TO TOPIC "${SECRET}"\nIF USER IS "${SECRET}" THEN\n    ALLOW`,
    `alpha DEFINE ACTION alpha\nON EVERY 1 SECOND DO\n    SET "x" WITH "${SECRET}"`,
    `# Script: ${SECRET}\ndef f():\n    return "${SECRET}"`,
  ]
  const wrong: string[] = []
  for (const command of COMMAND_TABLE.values()) {
    for (const rest of texts) {
      const text = `${writtenName(command)} ${rest} -requestId ${SECRET}`
      const line = parseCommandLine(text)
      for (const reply of [success(SECRET), failure(SECRET), denied(SECRET)]) {
        const record = auditOfCommand(line, command, reply, SENDER)
        const isNamed = record.what === command.name || record.what.startsWith(`${command.name} `)
        if (!isNamed || JSON.stringify(record).includes(SECRET)) wrong.push(`${text}: ${record.what}`)
      }
    }
  }
  t.same(wrong, [])
})

t.test('what is shown', async (t) => {
  t.equal(whatOf('-addRule DEFINE RULE Night WITH PRIORITY 100'), 'AddRule Night')
  t.equal(whatOf('--add-model Plant DEFINE MODEL "Plant A" WITH TOPIC'), 'AddModel Plant A')
  t.equal(whatOf('-removeRoute Cloud'), 'RemoveRoute Cloud')
  t.equal(whatOf(`-addUser "bob b" ${SECRET}`), 'AddUser bob b')
  t.equal(whatOf('-setSecret PASS=x y'), 'SetSecret PASS')
  t.equal(whatOf('-setSecret x y'), 'SetSecret')
  t.equal(
    whatOf('-changeUserSettings bob AllowedSystemConfiguration true'),
    'ChangeUserSettings bob AllowedSystemConfiguration true',
  )
  t.equal(whatOf('-changeUserSettings bob Pin 1234'), 'ChangeUserSettings bob Pin')
  t.equal(whatOf('-addUserToGroup bob ops'), 'AddUserToGroup bob ops')
  t.equal(whatOf('-ban address 192.0.2.7 60'), 'Ban address 192.0.2.7')
  t.equal(whatOf('-auditQuery 2025-11-22|secret text'), 'AuditQuery 2025-11-22')
  t.equal(whatOf('-listUsers'), 'ListUsers')
  t.equal(whatOf('-addPython x', success('', { entity: { type: 'Python', name: 'Scale' } })), 'AddPython Scale')
  const installed = success('', { entity: { type: 'Python package', name: 'six' } })
  t.equal(whatOf('-installPythonPackage whl64:AAAA', installed), 'InstallPythonPackage six')
  t.equal(whatOf('-removePythonPackage six'), 'RemovePythonPackage six')
  t.equal(whatOf(`-addUsr bob ${SECRET}`), 'unknown command')
  t.equal(whatOf(SECRET), 'unknown command')
  t.equal(whatOf(''), 'unknown command')
})

t.test('who, from where, and with what result', async (t) => {
  const line = parseCommandLine('-removeRule Night')
  const command = COMMAND_TABLE.get('removerule')
  const common = { user: 'ann', clientId: 'hub', address: '[2001:db8::7]:49152', what: 'RemoveRule Night' }
  t.same(auditOfCommand(line, command, success('x'), SENDER), { ...common, kind: 'command', success: true, detail: '' })
  t.match(auditOfCommand(line, command, failure('x'), SENDER), { kind: 'command', success: false, detail: '' })
  t.same(auditOfCommand(line, command, denied('You are not allowed to …'), SENDER), {
    ...common,
    kind: 'denial',
    success: false,
    detail: 'no RuleManagementRemove',
  })
  const ofSystem = failure('Permission denied: the folder of projects')
  t.match(auditOfCommand(line, command, ofSystem, SENDER), { kind: 'command', detail: '' }, 'not for its words')
  t.match(auditOfCommand(line, command, undefined, undefined), { user: '', clientId: '', address: '', success: true })
  t.match(auditOfCommand(line, command, undefined, { ...SENDER, userName: undefined }), { user: '', clientId: 'hub' })
})
