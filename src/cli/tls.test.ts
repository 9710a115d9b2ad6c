import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import t from 'tap'
import { runMerlot, spawnMerlot } from './cli.fixture.js'

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
