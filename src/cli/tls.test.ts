import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import t from 'tap'
import { runMerlot, spawnMerlot } from './cli.fixture.js'

t.test('files that cannot be used', async (t) => {
  const make = () => generate([{ name: 'commonName', value: 'me' }], { keyType: 'ec' })
  const [me, other] = [await make(), await make()]
  const workingDirectory = t.testdir({
    'me.pem': me.cert,
    'other.key': other.private,
    'half.pem': me.cert.slice(0, 200),
    empty: '',
  })
  const pub = (...args: string[]) =>
    runMerlot(['pub', '-t', 'a', '-m', 'x', '-p', '1', '--tls', ...args], { workingDirectory })
  t.match(await pub('--cert', 'me.pem', '--key', 'other.key'), {
    exitCode: 2,
    stderr: /^merlot: cannot use the certificate .*me.pem: it and the key .*other.key do not belong together\n/,
  })
  t.match(await pub('--ca', 'half.pem'), { exitCode: 2, stderr: /half.pem: its end is missing\n/ })
  t.match(await pub('--ca', 'empty'), { exitCode: 2, stderr: /empty: there is no certificate in PEM in it\n/ })
  t.match(await pub('--ca', 'none'), { exitCode: 2, stderr: /cannot read .*none/ })
})

t.test('pub by TLS, secure WebSocket and Unix socket', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'merlot-')) // short: the path of a socket has some 100 bytes
  t.teardown(() => rmSync(folder, { recursive: true }))
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), key)
  const tls = { certFile: 'cert.pem', keyFile: 'key.pem' }
  const listeners = [
    { type: 'tls', port: 0, tls: { ...tls, caFile: 'cert.pem', clientCertificate: 'required' } },
    { type: 'wss', port: 0, tls },
    { type: 'unix', path: 'm.sock' },
  ]
  writeFileSync(
    join(folder, 'merlot.json'),
    JSON.stringify({ listeners, dataDirectory: 'data', log: { level: 'silent' } }),
  )
  const broker = spawnMerlot(t, ['start', '--config', join(folder, 'merlot.json')])
  const [, tlsUrl] = await broker.stdout.find(/listening on (mqtts:\S+)/)
  const [, wssUrl] = await broker.stdout.find(/listening on (wss:\S+)\n/)
  await broker.stdout.find(/stop with/)
  const pub = (...args: string[]) =>
    runMerlot(['pub', '-t', 'a', '-m', 'x', '-q', '1', ...args], { workingDirectory: folder })

  const own = ['--cert', 'cert.pem', '--key', 'key.pem']
  t.match(await pub('--url', tlsUrl!, '--ca', 'cert.pem', ...own), { exitCode: 0, stderr: '' })
  t.match(await pub('--url', tlsUrl!, '--ca', 'cert.pem'), {
    exitCode: 1,
    stderr: /: .*certificate required\n.*--cert and --key\n$/,
  })
  t.match(await pub('--url', wssUrl!, '--insecure'), { exitCode: 0, stderr: '' })
  t.match(await pub('--url', wssUrl!), {
    exitCode: 1,
    stderr: /: self.signed certificate\nname the authority .* --ca,/,
  })
  t.match(await pub('--unix', 'm.sock'), { exitCode: 0, stderr: '' })
  broker.child.kill('SIGTERM')
  t.equal(await broker.exitCode, 0)
})
