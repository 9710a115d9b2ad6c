import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import t from 'tap'
import { wordsOf } from '../commands/command-line.js'
import { writeControlFile } from '../security/control-file.js'
import { type CommandContext, OptionValues } from './command.js'
import { quoted } from './command-words.js'
import { newPassword } from './new-password.js'
import { adminSettings, ownerSettings } from './owner-access.js'

function contextIn(
  workingDirectory: string,
  stdin: Readable = Readable.from([]),
): CommandContext & { shown: string[] } {
  const shown: string[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      shown.push(chunk.toString())
      done()
    },
  })
  return { stdin, stdout: sink, stderr: sink, environment: {}, workingDirectory, shown }
}

t.test('whose token goes where', async (t) => {
  const folder = t.testdir({ data: {}, 'merlot.yaml': 'dataDirectory: data\n', 'other.yaml': 'dataDirectory: none\n' })
  await writeControlFile(join(folder, 'data'), 'mqtt://127.0.0.1:1884', 'the-token')
  const context = contextIn(folder)
  const settings = (given: Record<string, unknown>) => ownerSettings(new OptionValues(given), context)
  const own = { userName: 'root', password: 'the-token', target: { url: 'mqtt://127.0.0.1:1884' } }
  const nobody = { userName: undefined, password: undefined }

  t.match(settings({}), own, 'the data folder of the configuration')
  t.match(settings({ data: 'data' }), own)
  t.match(settings({ port: 1884 }), own, 'the same broker, named')
  t.match(settings({ port: 1885 }), { ...nobody, target: { url: 'mqtt://127.0.0.1:1885' } }, 'another one')
  t.match(settings({ host: 'broker.local' }), nobody)
  t.match(settings({ port: 1885 }).deniedRemedy, /^mqtt:\/\/127.0.0.1:1884 is the broker of your data folder, .*--data/)
  t.match(settings({ username: 'bob', password: 'x' }).deniedRemedy, /^give a user that may with --username/)
  t.equal(settings({}).deniedRemedy, undefined)
  t.match(settings({ port: 1885, data: 'data' }), { ...own, target: { url: 'mqtt://127.0.0.1:1885' } })
  t.match(settings({ username: 'bob', password: 'x' }), { userName: 'bob', password: 'x' })
  t.match(settings({ username: 'root' }), { userName: 'root', password: undefined })
  t.match(settings({ config: 'merlot.yaml' }), own)
  t.throws(() => settings({ config: 'other.yaml' }), { message: /no broker runs on the data folder .*none$/ })
  t.throws(() => settings({ data: 'none' }), { message: /no broker runs/ })

  const admin = (given: Record<string, unknown>) => adminSettings(new OptionValues(given), context)
  t.match(admin({}), nobody)
  t.match(admin({ admin: true }), own)
  t.throws(() => admin({ admin: true, host: 'broker.local' }), { message: /mqtt:\/\/127.0.0.1:1884/ })
})

t.test('what cannot be read is passed over where nobody has asked for it', async (t) => {
  const folder = t.testdir({ data: { 'control.json': '{' }, 'merlot.yaml': 'dataDirectory: data\n' })
  t.match(ownerSettings(new OptionValues({}), contextIn(folder)), {
    userName: undefined,
    deniedRemedy: /^cannot read .*control.json.*, so you are nobody here: name the data folder/,
  })
  t.throws(() => ownerSettings(new OptionValues({ data: 'data' }), contextIn(folder)), { code: 'FILE_UNREADABLE' })
  const broken = t.testdir({ 'merlot.yaml': 'nonsense: 1\n' })
  t.match(ownerSettings(new OptionValues({}), contextIn(broken)), { userName: undefined })
  const empty = t.testdir({})
  t.equal(
    ownerSettings(new OptionValues({}), contextIn(empty)).deniedRemedy,
    `no broker runs on the data folder ${join(empty, 'data')}, so you are nobody here: ` +
      'name the data folder of the broker with --data (its start prints it), or a user that may with --username',
  )
})

t.test('certificates are not asked of the own machine', async (t) => {
  const folder = t.testdir({})
  await writeControlFile(folder, 'mqtts://127.0.0.1:8883', 'the-token')
  const { target } = ownerSettings(new OptionValues({ data: '.' }), contextIn(folder))
  t.match(target, { transport: 'tls', tls: { insecure: true } })
})

t.test('words of commands', async (t) => {
  for (const word of ['bob', 'night shift', '', "it's", 'say "a"', '-requestId', '\\', '$x `y`']) {
    t.same(wordsOf(`${quoted(word)} end`), [word, 'end'], word)
  }
  t.throws(() => quoted(`"a" 'b'`, 'the password'), { message: 'the password has both kinds of quotes' })
})

class FakeTerminal extends PassThrough {
  readonly isTTY = true
  readonly modes: boolean[] = []
  setRawMode(isRaw: boolean): void {
    this.modes.push(isRaw)
  }
}

t.test('new passwords', async (t) => {
  const folder = t.testdir({ secret: 'of the file\nrest\n', empty: '\n' })
  const ask = (given: Record<string, unknown>, stdin?: Readable) =>
    newPassword(new OptionValues(given), 'bob', contextIn(folder, stdin))
  t.equal(await ask({ newPasswordFile: 'secret' }), 'of the file')
  t.equal(await ask({}, Readable.from([Buffer.from('of '), Buffer.from('stdin\r\n')])), 'of stdin')
  await t.rejects(ask({ newPasswordFile: 'empty' }), { message: 'no password is given' })
  await t.rejects(ask({ newPasswordFile: 'missing' }), { code: 'FILE_UNREADABLE' })
  await t.rejects(ask({}, Readable.from([Buffer.alloc(65_537)])), { message: /too long/ })
})

t.test('passwords are typed without being shown', async (t) => {
  const type = async (...parts: string[]) => {
    const terminal = new FakeTerminal()
    const context = contextIn('.', terminal)
    const password = newPassword(new OptionValues({}), 'bob', context)
    password.catch(() => {})
    for (const part of parts) {
      terminal.write(part)
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { password, terminal, shown: context.shown.join('') }
  }
  const typed = await type('secrex\u007ft', '\r', 'secret', '\r')
  t.equal(await typed.password, 'secret')
  t.same(typed.terminal.modes, [true, false, true, false])
  t.notMatch(typed.shown, /secre/)
  t.match(typed.shown, /New password of bob: \n/)
  const pasted = await type('secret\rsecret\r')
  t.equal(await pasted.password, 'secret')
  await t.rejects((await type('secret\rother\r')).password, { message: /not the same/ })
  const cancelled = await type('secret\u0003')
  await t.rejects(cancelled.password, { message: 'no password was typed' })
  t.same(cancelled.terminal.modes, [true, false], 'the terminal is as it was')
})
