import t from 'tap'
import { loadConfig } from '../config/load.js'
import type { ListenerAddress } from '../main.js'
import { bannerLines, noticeLines, programName } from './banner.js'

t.test('the program is called as the user can call it', async (t) => {
  t.equal(programName('/usr/bin/merlot', {}), 'merlot')
  t.equal(programName('/src/merlot/dist/src/cli/main.js', {}), 'npx merlot')
  t.equal(programName('/x/node_modules/.bin/merlot', { npm_command: 'exec' }), 'npx merlot')
  t.same(noticeLines(['made', 'set another with "merlot user passwd root"'], {}), [
    'made',
    'set another with "npx merlot user passwd root"',
  ])
})

t.test('the lines to try fit the listeners', async (t) => {
  const loaded = loadConfig({ flags: { host: '0.0.0.0' }, environment: {}, workingDirectory: t.testdir({}) })
  const banner = (host: string, port: number, type: ListenerAddress['type'], url: string): string =>
    bannerLines(loaded, [{ type, host, port, path: '/mqtt', url }], {}).join('\n')
  t.match(banner('0.0.0.0', 1883, 'tcp', 'mqtt://0.0.0.0:1883'), 'npx merlot sub -t hello\n')
  t.match(banner('0.0.0.0', 1884, 'tcp', 'mqtt://0.0.0.0:1884'), 'npx merlot sub -p 1884 -t hello\n')
  t.match(banner('10.0.0.1', 1883, 'tcp', 'mqtt://10.0.0.1:1883'), 'sub --url mqtt://10.0.0.1:1883 -t hello\n')
  t.match(banner('::', 5000, 'ws', 'ws://[::]:5000/mqtt'), 'sub --url ws://[::1]:5000/mqtt -t hello\n')
  t.match(banner('', 0, 'unix', 'unix:/run/m.sock'), 'sub --url unix:/run/m.sock -t hello\n')
  t.notMatch(banner('0.0.0.0', 8883, 'tls', 'mqtts://0.0.0.0:8883'), 'try it')
  t.match(banner('0.0.0.0', 1883, 'tcp', 'mqtt://0.0.0.0:1883'), '\nopen to the network\n')
})
