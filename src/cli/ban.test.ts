import t from 'tap'
import { runMerlot } from './cli.fixture.js'

t.test('who is to be banned is checked before the broker is asked', async (t) => {
  for (const [args, stderr] of [
    [['add', 'user'], /expected address, client or user/],
    [['add', 'host', 'a'], /expected address, client or user/],
    [['add', 'client', 'a', 'b'], /expected address, client or user/],
    [['add', 'address', '192.0.2'], /192\.0\.2 is neither an IP address nor a network/],
    [['add', 'client', `a"b'c`], /both kinds of quotes/],
    [['add', 'user', 'a', '--seconds', '0'], /whole number from 1/],
    [['remove'], /missing required argument/],
  ] as const) {
    t.match(await runMerlot(['ban', ...args, '-p', '1']), { exitCode: 2, stderr }, args.join(' '))
  }
})
