import t from 'tap'
import { OptionValues } from './command.js'
import { CommandError } from './exit.js'
import { type Target, targetOf } from './target.js'

function target(given: Readonly<Record<string, unknown>>): Target {
  return targetOf(new OptionValues(given), {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: {},
    workingDirectory: '/home/me',
  })
}

t.test('options and URLs', async (t) => {
  for (const [given, url] of [
    [{}, 'mqtt://127.0.0.1:1883'],
    [{ host: '::1', port: 1884 }, 'mqtt://[::1]:1884'],
    [{ tls: true }, 'mqtts://127.0.0.1:8883'],
    [{ ca: 'ca.pem', host: 'h' }, 'mqtts://h:8883'],
    [{ ws: true }, 'ws://127.0.0.1:5000/mqtt'],
    [{ path: '/x', insecure: true }, 'wss://127.0.0.1:5443/x'],
    [{ unix: 'm.sock' }, 'unix:/home/me/m.sock'],
    [{ url: 'mqtt://h' }, 'mqtt://h:1883'],
    [{ url: 'tls://h:1' }, 'mqtts://h:1'],
    [{ url: 'ws://h' }, 'ws://h:80/'],
    [{ url: 'wss://[::1]/a/b?c=d' }, 'wss://[::1]:443/a/b?c=d'],
    [{ url: 'unix:/run/m.sock' }, 'unix:/run/m.sock'],
    [{ url: 'unix:///run/m.sock' }, 'unix:/run/m.sock'],
  ] as const) {
    t.equal(target(given).url, url, JSON.stringify(given))
  }
})

t.test('user name and password of a URL are used and not shown', async (t) => {
  t.match(target({ url: 'mqtt://me:p%40ss@h' }), { userName: 'me', password: 'p@ss', url: 'mqtt://h:1883' })
  t.throws(() => target({ url: 'http://me:geheim@h' }), { message: 'http://h is not the URL of a broker' })
})

t.test('what contradicts itself is refused', async (t) => {
  for (const given of [
    { url: 'mqtt://h', host: 'h' },
    { url: 'mqtt://h', tls: true },
    { url: 'foo' },
    { url: 'mqtt://%zz@h' },
    { unix: 'a', port: 1 },
    { unix: 'a', ca: 'b' },
    { cert: 'c' },
  ]) {
    t.throws(() => target(given), CommandError, JSON.stringify(given))
  }
})
