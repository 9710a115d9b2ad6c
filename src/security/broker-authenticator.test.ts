import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { createSinkLogger, type LogRecord } from '../base/log.js'
import { ManualClock } from '../base/manual-clock.fixture.js'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import { PLAIN_CONNECT } from '../mqtt/client-codec.js'
import { ReasonCode } from '../mqtt/reason-codes.js'
import type { Authenticator, Peer } from './authenticator.js'
import { createAuthenticator } from './broker-authenticator.js'
import { CredentialsDirectory } from './directory.js'
import {
  CERTIFICATE,
  connectAs,
  directoryOf,
  FakeVerifier,
  LOCAL,
  REMOTE,
  ScramClient,
  scramUser,
  userWith,
} from './security.fixture.js'

const TOKEN = 'token-of-this-start'
const ADMITTED = { kind: 'admitted' } as const
const WRONG = { kind: 'refused', reasonCode: ReasonCode.BAD_USER_NAME_OR_PASSWORD }
const REFUSED = { kind: 'refused', reasonCode: ReasonCode.NOT_AUTHORIZED }

interface Made {
  readonly authenticator: Authenticator
  readonly log: LogRecord[]
}

function make(
  config: BrokerConfigInput = {},
  directory: CredentialsDirectory = directoryOf(userWith('root', 'of-root'), userWith('bob', 'right')),
): Made {
  const log: LogRecord[] = []
  const authenticator = createAuthenticator({
    config: BrokerConfig.parse(config),
    clock: new ManualClock(),
    log: createSinkLogger({ level: 'warn', areas: {} }, (record) => log.push(record)),
    directory,
    controlToken: TOKEN,
    hashesAtOnce: 2,
    verify: new FakeVerifier().verify,
  })
  return { authenticator, log }
}

function signedToken(secret: string, claims: object): string {
  const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${encoded({ alg: 'HS256' })}.${encoded(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

t.test('user name and password', async (t) => {
  const { authenticator } = make()
  t.same(await authenticator.admit(connectAs('bob', 'right'), REMOTE), { ...ADMITTED, userName: 'bob' })
  t.same(await authenticator.admit(connectAs('root', 'of-root'), REMOTE), { ...ADMITTED, userName: 'root' })
  const wrong = await authenticator.admit(connectAs('bob', 'wrong'), REMOTE)
  t.match(wrong, WRONG)
  for (const [user, password] of [
    ['eve', 'wrong'],
    ['bob', ''],
    ['bob', undefined],
    ['eve', undefined],
    ['', 'right'],
    [undefined, 'right'],
    ['BOB', 'right'],
    ['bob\u0000', 'right'],
  ] as const) {
    t.same(await authenticator.admit(connectAs(user, password), LOCAL), wrong, `${user} ${password}`)
  }
})

t.test('nobody comes in before the users are known', async (t) => {
  const directory = new CredentialsDirectory()
  const { authenticator } = make({ authentication: { scram: ['SCRAM-SHA-256'] } }, directory)
  const unavailable = { kind: 'refused', reasonCode: ReasonCode.SERVER_UNAVAILABLE }
  for (const connect of [connectAs('root', TOKEN), connectAs('bob', 'right'), connectAs(undefined)]) {
    t.match(await authenticator.admit(connect, { ...LOCAL, anonymous: 'allow' }), unavailable)
  }
  const exchange = authenticator.begin('SCRAM-SHA-256', PLAIN_CONNECT, LOCAL)
  t.match(await exchange?.step(undefined), unavailable)
  directory.change({ users: [userWith('bob', 'right')], removedUsers: [], isWhole: false })
  t.match(await authenticator.admit(connectAs('bob', 'right'), LOCAL), unavailable, 'a part is not the whole')
})

t.test('anonymous clients', async (t) => {
  const { authenticator } = make()
  const decide = (peer: Partial<Peer>, base = REMOTE) => authenticator.admit(connectAs(undefined), { ...base, ...peer })
  t.same(decide({ anonymous: 'local' }, LOCAL), { ...ADMITTED, userName: undefined })
  t.match(decide({ anonymous: 'local' }), { ...REFUSED, reason: 'a user name is needed' })
  t.match(decide({ anonymous: 'deny' }, LOCAL), REFUSED)
  t.same(decide({ anonymous: 'allow' }), { ...ADMITTED, userName: undefined })
  t.same(decide({ anonymous: 'allow', anonymousUser: 'bob' }), { ...ADMITTED, userName: 'bob' })
  t.same(decide({ anonymousUser: 'root' }, LOCAL), { ...ADMITTED, userName: 'root' })
  t.match(decide({ anonymous: 'allow', anonymousUser: 'root' }), REFUSED, 'never root from elsewhere')
  const empty = authenticator.admit(connectAs('', ''), { ...REMOTE, anonymous: 'allow' })
  t.same(empty, { ...ADMITTED, userName: undefined })
})

t.test('anonymous clients of a user that is not there, or not any more', async (t) => {
  const guest = userWith('guest', 'x')
  const directory = directoryOf(guest)
  const { authenticator, log } = make({}, directory)
  const decide = () => authenticator.admit(connectAs(undefined), { ...LOCAL, anonymousUser: 'guest' })
  t.same(decide(), { ...ADMITTED, userName: 'guest' })
  t.same(log, [])
  directory.change({ users: [], removedUsers: ['guest'], isWhole: false })
  for (let i = 0; i < 3; i++) t.match(decide(), { ...REFUSED, reason: /user that stands for .* does not exist/ })
  t.match(log, [{ level: 'warn', fields: { anonymousUser: 'guest', listener: 'tcp', remedy: /merlot user add/ } }])
  t.match(authenticator.admit(connectAs(undefined), { ...LOCAL, anonymousUser: 'constructor' }), REFUSED)
  t.same(authenticator.admit(connectAs(undefined), LOCAL), { ...ADMITTED, userName: undefined }, 'other listeners')
  directory.change({ users: [guest], removedUsers: [], isWhole: false })
  t.same(decide(), { ...ADMITTED, userName: 'guest' }, 'made anew')
})

t.test('the control token', async (t) => {
  const { authenticator } = make()
  t.same(await authenticator.admit(connectAs('root', TOKEN), LOCAL), { ...ADMITTED, userName: 'root' })
  t.match(await authenticator.admit(connectAs('root', TOKEN), REMOTE), WRONG)
  t.match(await authenticator.admit(connectAs('bob', TOKEN), LOCAL), WRONG)
  t.match(await authenticator.admit(connectAs('root', TOKEN.slice(1)), LOCAL), WRONG)
  const closed = { ...LOCAL, anonymous: 'deny', certificateUser: 'commonName' } as const
  t.match(await authenticator.admit(connectAs('root', TOKEN), closed), { userName: 'root' })
})

t.test('the password that everybody knows', async (t) => {
  const config = { compat: 'v1', authentication: { wellKnownRootPassword: true } } as const
  const { authenticator, log } = make(config)
  for (let i = 0; i < 8; i++) {
    t.match(await authenticator.admit(connectAs('root', 'coreflux'), LOCAL), { ...ADMITTED, userName: 'root' })
  }
  t.equal(log.length, 5, 'warned of, at a bounded rate')
  t.match(log[0], { level: 'warn', fields: { address: '127.0.0.1', remedy: /wellKnownRootPassword/ } })
  t.match(await authenticator.admit(connectAs('root', 'coreflux'), REMOTE), WRONG)
  t.match(await authenticator.admit(connectAs('bob', 'coreflux'), LOCAL), WRONG)
  for (const other of [{}, { compat: 'v1' }, { authentication: { wellKnownRootPassword: true } }] as const) {
    t.match(await make(other).authenticator.admit(connectAs('root', 'coreflux'), LOCAL), WRONG, JSON.stringify(other))
  }
})

t.test('client certificates', async (t) => {
  const { authenticator } = make()
  const withCertificate = (more: Partial<Peer>): Peer => ({
    ...REMOTE,
    certificateUser: 'commonName',
    certificate: CERTIFICATE,
    ...more,
  })
  const admit = (peer: Partial<Peer>, user?: string, password?: string) =>
    authenticator.admit(connectAs(user, password), withCertificate(peer))
  t.same(await admit({}), { ...ADMITTED, userName: 'boiler 7' })
  t.same(await admit({}, 'boiler 7'), { ...ADMITTED, userName: 'boiler 7' })
  t.same(await admit({ certificateUser: 'subjectAltName' }), { ...ADMITTED, userName: 'boiler-7.plant' })
  t.same(await admit({ certificateUser: 'fingerprint' }), { ...ADMITTED, userName: 'ab12' })
  t.match(await admit({}, 'bob', 'right'), { ...REFUSED, reason: /another user/ })
  t.match(await admit({}, 'root', 'of-root'), { ...REFUSED, reason: /another user/ })
  const changed = (more: object) => ({ certificate: { ...CERTIFICATE, ...more } })
  t.match(await admit(changed({ authorized: false }), 'bob', 'right'), { ...REFUSED, reason: /not trusted/ })
  t.match(await admit(changed({ commonName: 'root' })), { ...REFUSED, reason: /cannot make its owner root/ })
  t.match(await admit(changed({ commonName: undefined })), { ...REFUSED, reason: /common name .* is empty/ })
  t.match(await admit(changed({ commonName: 'a\nb' })), { ...REFUSED, reason: /control characters/ })
  t.match(await admit({ ...changed({ subjectAltNames: [] }), certificateUser: 'subjectAltName' }), REFUSED)
  t.same(await admit({ certificate: undefined }, 'bob', 'right'), { ...ADMITTED, userName: 'bob' })
  t.same(await admit({ certificateUser: 'none' }, 'bob', 'right'), { ...ADMITTED, userName: 'bob' })
})

t.test('tokens', async (t) => {
  const secret = 'a shared secret of thirty-two bytes'
  const folder = t.testdir({ secret })
  const signed = (claims: object): string => signedToken(secret, claims)
  const jwt = { algorithms: ['HS256' as const], secretFile: join(folder, 'secret') }
  const { authenticator } = make({ authentication: { jwt } })
  const bob = signed({ sub: 'bob', groups: ['shift'] })
  const admitted = { ...ADMITTED, userName: 'bob', claims: { groups: ['shift'] } }
  for (const user of [undefined, '', 'bob']) t.match(await authenticator.admit(connectAs(user, bob), REMOTE), admitted)
  t.match(await authenticator.admit(connectAs('eve', bob), REMOTE), WRONG)
  t.match(await authenticator.admit(connectAs('root', signed({ sub: 'root' })), LOCAL), WRONG)
  t.match(await authenticator.admit(connectAs(undefined, `${bob}x`), REMOTE), WRONG)
  t.match(await authenticator.admit(connectAs('bob', 'right'), REMOTE), { ...ADMITTED, userName: 'bob' })
  t.match(await make().authenticator.admit(connectAs('bob', bob), REMOTE), WRONG, 'where none are accepted')
})

t.test('a user whose record is damaged', async (t) => {
  const secret = 'a shared secret of thirty-two bytes'
  const folder = t.testdir({ secret })
  const names = ['bob', 'boiler 7'].map((name) => ({
    name,
    passwordHash: undefined,
    scram: {},
    isUnreadable: true as const,
  }))
  const directory = directoryOf(...names)
  const jwt = { algorithms: ['HS256' as const], secretFile: join(folder, 'secret') }
  const { authenticator } = make({ authentication: { jwt } }, directory)
  const refused = { ...REFUSED, reason: /of this user is damaged/ }
  const boiler: Peer = { ...REMOTE, certificateUser: 'commonName', certificate: CERTIFICATE }
  const ways = [
    () => authenticator.admit(connectAs(undefined), boiler),
    () => authenticator.admit(connectAs('bob', signedToken(secret, { sub: 'bob' })), REMOTE),
    () => authenticator.admit(connectAs(undefined), { ...LOCAL, anonymousUser: 'bob' }),
  ]
  for (const way of ways) t.match(await way(), refused)
  t.match(await authenticator.admit(connectAs('bob', ''), REMOTE), WRONG)
  directory.change({ users: [userWith('bob', 'right'), userWith('boiler 7', 'x')], removedUsers: [], isWhole: false })
  for (const way of ways) t.match(await way(), ADMITTED, 'added anew')
})

t.test('enhanced authentication', async (t) => {
  const mechanism = 'SCRAM-SHA-256'
  const directory = directoryOf(await scramUser('bob', 'secret', mechanism))
  const { authenticator } = make({ authentication: { scram: [mechanism] } }, directory)
  const run = async (
    user: string | undefined,
    peer: Peer = REMOTE,
    current?: { readonly userName: string | undefined },
  ): Promise<unknown> => {
    const exchange = authenticator.begin(mechanism, connectAs(user), peer, current)
    const client = new ScramClient(mechanism, 'bob', 'secret')
    const challenge = await exchange!.step(new Uint8Array(Buffer.from(client.first)))
    if (challenge.kind !== 'continue') return challenge
    const final = client.final(Buffer.from(challenge.data!).toString())
    return exchange!.step(new Uint8Array(Buffer.from(final)))
  }
  t.match(await run(undefined), { ...ADMITTED, userName: 'bob' })
  t.match(await run('bob'), { ...ADMITTED, userName: 'bob' })
  t.match(await run('eve'), REFUSED)
  t.match(await run(undefined, REMOTE, { userName: 'bob' }), ADMITTED, 'again as the same')
  t.match(await run(undefined, REMOTE, { userName: 'eve' }), REFUSED, 'never as another')
  t.match(await run('bob', REMOTE, { userName: 'eve' }), REFUSED)
  t.match(await run('eve', REMOTE, { userName: 'bob' }), REFUSED)
  const boiler: Peer = { ...REMOTE, certificateUser: 'commonName', certificate: CERTIFICATE }
  t.match(await run(undefined, boiler), REFUSED, 'the certificate belongs to another')
  t.match(await run(undefined, { ...boiler, certificate: { ...CERTIFICATE, authorized: false } }), REFUSED)
  t.match(await run(undefined, { ...boiler, certificate: { ...CERTIFICATE, commonName: 'bob' } }), ADMITTED)
  for (const other of ['SCRAM-SHA-512', 'SCRAM-SHA-1', 'PLAIN', '', 'toString']) {
    t.equal(authenticator.begin(other, PLAIN_CONNECT, REMOTE), undefined, other)
  }
  t.equal(make().authenticator.begin(mechanism, PLAIN_CONNECT, REMOTE), undefined, 'where it is not configured')
})
