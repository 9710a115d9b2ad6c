import t from 'tap'
import { CLOSED_EARLY, connectRemedy, refusalRemedy, withReason } from './connect-failure.js'
import type { ConnectionSettings } from './connection-options.js'

function settingsOf(given: Partial<ConnectionSettings> = {}, transport = 'tcp', certFile?: string): ConnectionSettings {
  return { ...given, target: { transport, tls: { certFile } } } as ConnectionSettings
}

t.test('a reason is said once', async (t) => {
  t.equal(withReason('not authorized', 0x87, undefined), 'not authorized (0x87)')
  t.equal(withReason('not authorized', 0x87, 'not authorized'), 'not authorized (0x87)')
  t.equal(
    withReason('not authorized', 0x87, 'not authorized: a user is needed'),
    'not authorized (0x87): a user is needed',
  )
  t.equal(withReason('banned', 0x8a, 'until tomorrow'), 'banned (0x8a): until tomorrow')
})

t.test('what to do about a refusal', async (t) => {
  const remedy = (code: number, given?: Partial<ConnectionSettings>, reasonString?: string, certFile?: string) =>
    refusalRemedy({ code, reasonString }, settingsOf(given, 'tls', certFile))
  const ann = { userName: 'ann', password: 'wrong' }
  for (const code of [4, 0x86]) t.match(remedy(code, ann), /^check both; "merlot user passwd ann" on/)
  t.match(remedy(0x86, { userName: 'ann' }), /^give the password/)
  for (const code of [5, 0x87]) {
    t.match(
      remedy(code, ann),
      /^most likely a rule denies it: "merlot rule test --user ann connect" on the broker's machine/,
    )
    t.match(remedy(code), /^give a user name/)
    t.equal(remedy(code, { deniedRemedy: 'as nobody' }), 'as nobody')
  }
  t.match(remedy(0x87, {}, undefined, 'c.pem'), /"merlot rule test connect"/)
  t.match(remedy(0x87, {}, 'not authorized'), /"merlot rule test connect"/)
  t.match(remedy(0x87, {}, 'not authorized: a user name is needed'), /^give a user name/)
  const other = 'not authorized: the client certificate belongs to another user'
  t.match(remedy(0x87, ann, other, 'c.pem'), /^leave out --username/)
  t.equal(remedy(0x87, {}, 'not authorized: the client certificate is not trusted', 'c.pem'), undefined)
  t.match(remedy(0x84), /--protocol/)
  t.equal(remedy(0x97), undefined)
})

t.test('what to do about a connection that ends early', async (t) => {
  const early = new Error(CLOSED_EARLY)
  t.equal(connectRemedy(settingsOf(), early), 'check host, port and transport; does this port speak TLS? add --tls')
  t.equal(connectRemedy(settingsOf({}, 'tls'), early), 'check host, port and transport')
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  for (const error of [early, reset]) {
    t.match(
      connectRemedy(settingsOf({}, 'tls', 'c.pem'), error),
      /or the broker does not trust this certificate: its log/,
    )
  }
  t.equal(connectRemedy(settingsOf({}, 'tls'), reset), 'does this port speak TLS?')
})
