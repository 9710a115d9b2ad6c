import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runMerlot, startBrokerProcess } from './cli.fixture.js'

t.test('users of a running broker, by the owner of its data folder', async (t) => {
  const { port, stdout } = await startBrokerProcess(t)
  const folder = t.testdirName // of the broker: asked for once more it would be emptied
  const [, rootPassword] = await stdout.find(/the user root was made, with the password (\w+)/)
  if (process.platform !== 'win32') t.equal(statSync(join(folder, 'control.json')).mode & 0o777, 0o600)
  const user = (...args: string[]) => runMerlot(['user', ...args, '--data', folder])
  const typed = (stdin: string, ...args: string[]) => runMerlot(['user', ...args, '--data', folder], { stdin })
  const bobsPassword = `a long "word" -requestId x`

  t.match(await typed(`${bobsPassword}\n`, 'add', 'bob'), {
    exitCode: 0,
    stdout: 'User bob added successfully!\n',
    stderr: '',
  })
  t.match(await typed('short', 'add', 'eve'), { exitCode: 1, stderr: /at least 8 bytes/ })
  t.match(await typed('', 'add', 'eve'), { exitCode: 2, stderr: /no password is given/ })
  t.match(await typed(`'"'"'"`, 'add', 'eve'), { exitCode: 2, stderr: /the password has both kinds of quotes/ })

  const bobs = join(folder, 'bob.txt')
  writeFileSync(bobs, bobsPassword)
  const asBob = ['-p', port, '-u', 'bob', '--password-file', bobs]
  const pub = (...args: string[]) => runMerlot(['pub', '-t', 'a', '-m', 'b', '-q', '1', ...args])
  t.match(await pub(...asBob), { exitCode: 0 })
  t.match(await pub('-p', port, '-u', 'bob', '-P', 'wrong'), {
    exitCode: 1,
    stderr: /: bad user name or password \(0x86\)\ncheck both; "merlot user passwd bob" on/,
  })
  t.match(await runMerlot(['command', '-listModels', ...asBob]), { exitCode: 1 }, 'may not command yet')

  t.match(await user('grant', 'bob', 'systemConfiguration', 'LogManagement'), { exitCode: 0 })
  t.match(await runMerlot(['command', '-listModels', ...asBob]), { exitCode: 0 })
  t.match(await runMerlot(['command', '-listUsers', ...asBob]), { exitCode: 1, stderr: /Permission denied/ })
  t.match(await user('grant', 'bob', 'Everything'), { exitCode: 2 })
  t.match(await user('revoke', 'bob', 'SystemConfiguration'), { exitCode: 0 })
  t.match(await runMerlot(['command', '-listModels', ...asBob]), { exitCode: 1 })

  t.match(await user('group', 'add', 'bob', 'night shift'), { exitCode: 0 })
  t.match(await user('group', 'list', 'bob'), { exitCode: 0, stdout: /night shift/ })
  for (const wrong of [
    ['add', 'bob'],
    ['list', 'bob', 'x'],
    ['nonsense', 'bob'],
    ['add', 'bob', 'x', 'y'],
  ]) {
    t.match(await user('group', ...wrong), { exitCode: 2 }, wrong.join(' '))
  }
  t.match(await user('list'), { stdout: /name: bob\n {2}groups:\n {4}- night shift\n/ })

  const roots = join(folder, 'root.txt')
  writeFileSync(roots, rootPassword)
  t.match(await runMerlot(['user', 'list', '-p', port, '-u', 'root', '--password-file', roots]), { exitCode: 0 })
  t.match(await typed('another password', 'passwd', 'root'), { exitCode: 0 })
  t.match(await runMerlot(['user', 'list', '-p', port, '-u', 'root', '--password-file', roots]), { exitCode: 1 })
  t.match(await runMerlot(['pub', '-t', '$SYS/Coreflux/Command', '-m', '-updateData', '-q', '1', '-p', port]), {
    exitCode: 1,
  })
  t.match(
    await runMerlot([
      'pub',
      '-t',
      '$SYS/Coreflux/Command',
      '-m',
      '-updateData',
      '-q',
      '1',
      '--admin',
      '--data',
      folder,
    ]),
    { exitCode: 0 },
  )
  t.match(await user('remove', 'bob'), { exitCode: 0, stdout: 'User bob removed successfully!\n' })
  t.match(await pub(...asBob), { exitCode: 1 })
  t.match(await user('remove', 'root'), { exitCode: 1, stderr: /cannot be removed/ })
  t.notMatch(readFileSync(join(folder, 'control.json'), 'utf8'), rootPassword)
})
