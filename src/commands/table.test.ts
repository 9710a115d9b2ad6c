import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageFolder } from '../base/version.js'
import { checkEntity } from '../lot/check/check.js'
import { Source } from '../lot/source.js'
import { parseProgram } from '../lot/syntax/parse.js'
import { BUILT_IN_RULES, SEED_RULES } from './built-in-rules.js'
import { startCentre } from './centre.fixture.js'
import { COMMAND_TABLE, writtenName } from './command-table.js'

t.test('the rules that come with the broker are rules', async (t) => {
  for (const [name, text] of [...BUILT_IN_RULES, ...SEED_RULES]) {
    const { program, diagnostics } = parseProgram(new Source(name, text))
    const found = [...diagnostics, ...program.entities.flatMap((entity) => checkEntity(entity, {}, { compat: 'v1' }))]
    t.same(
      found.filter(({ severity }) => severity === 'error'),
      [],
      name,
    )
    t.equal(program.entities[0]?.name.text, name)
  }
})

t.test('every command answers anything without failing', async (t) => {
  const decide = async () => ({ allowed: true, rule: undefined, reason: '', reads: [] })
  const test = await startCentre(t, {}, { decide })
  const root = { userName: 'root', clientId: 'console', address: '', port: 0, claims: undefined }
  for (const command of COMMAND_TABLE.values()) {
    if (command.name === 'UpdateData') continue
    for (const rest of ['', ' X', ' "', ' {', ' DEFINE', ' lot64:', ' a b c', ' A=1', ' \u0000']) {
      const answer = await test.send(`${writtenName(command)}${rest}`, root)
      t.equal(answer.command, command.name, `${command.name}${rest}`)
      if (!answer.success) t.ok(answer.errors!.length > 0 && answer.message !== '')
    }
  }
  t.same(
    test.log.filter(({ level }) => level === 'error'),
    [],
  )
})

t.test('what the broker says of itself', async (t) => {
  const test = await startCentre(t, { lot: { project: '' } }, { connections: () => 3 })
  t.match(JSON.parse(test.retained.get('Version')!), { product: 'Merlot', version: /./ })
  t.match(JSON.parse(test.retained.get('Config')!), {
    Port: 1883,
    WebsocketPort: 5000,
    TlsPort: 0,
    AnonymousLogin: true,
  })
  t.match(JSON.parse(test.retained.get('License/Status')!), { tier: 'open', connections: 3 })
  const cluster = ['Role', 'IsLeader', 'Leader', 'Term', 'Members'].map((name) => test.retained.get(`Cluster/${name}`))
  t.same(cluster, ['Standalone', 'true', 'Merlot', '0', '[]'])
})

t.test('no password is shown', async (t) => {
  const test = await startCentre(t, {
    listeners: [{ type: 'tls', tls: { pfxFile: 'a.pfx', passphrase: 'hunter2' } }],
  })
  t.match(JSON.parse(test.retained.get('Config')!), {
    TlsPort: 8883,
    CertificatePath: /a\.pfx/,
    CertificatePassword: '********',
  })
  t.notMatch(JSON.stringify([...test.retained]), /hunter2/)
})

t.test('docs/commands.md has every command', async (t) => {
  const page = readFileSync(join(packageFolder(), 'docs', 'commands.md'), 'utf8').toLowerCase()
  for (const command of COMMAND_TABLE.values())
    t.ok(page.includes(`\`${writtenName(command).toLowerCase()}\``), command.name)
})
