import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { BrokerConfig } from '../config/schema.js'
import type { JwtConfig } from './token-keys.js'
import { isToken } from './token-text.js'
import { type TokenLogin, Tokens } from './tokens.js'

const NOW_MS = 1_700_000_000_000
const NOW = NOW_MS / 1_000
const SECRET = 'a shared secret of thirty-two bytes'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })

type Claims = Readonly<Record<string, unknown>>
const BOB: Claims = { sub: 'bob', exp: NOW + 60 }

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Made by hand, so that wrong ones can be made too. */
function token(header: Claims, claims: Claims, signature: (text: string) => Buffer): Uint8Array {
  const text = `${encoded(header)}.${encoded(claims)}`
  return Buffer.from(`${text}.${signature(text).toString('base64url')}`)
}

const byRsa = (claims: Claims, key: KeyObject = rsa.privateKey, header: Claims = {}): Uint8Array =>
  token({ alg: 'RS256', kid: 'one', ...header }, claims, (text) => sign('sha256', Buffer.from(text), key))
const byEc = (claims: Claims): Uint8Array =>
  token({ alg: 'ES256', kid: 'two' }, claims, (text) =>
    sign('sha256', Buffer.from(text), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }),
  )
const byHmac = (claims: Claims, key: string | Buffer = SECRET): Uint8Array =>
  token({ alg: 'HS256' }, claims, (text) => createHmac('sha256', key).update(text).digest())

function keySet(...keys: readonly (readonly [id: string, key: KeyObject])[]): string {
  return JSON.stringify({ keys: keys.map(([kid, key]) => ({ ...key.export({ format: 'jwk' }), kid })) })
}

const KEYS = keySet(['one', rsa.publicKey], ['two', ec.publicKey])

class Clock {
  ms = NOW_MS
  readonly now = (): number => this.ms
}

interface Made {
  readonly tokens: Tokens
  readonly clock: Clock
  readonly problems: string[]
}

function tokensOf(jwt: Partial<JwtConfig>): Made {
  const problems: string[] = []
  const clock = new Clock()
  const config = BrokerConfig.parse({ authentication: { jwt } }).authentication.jwt
  if (config === undefined) throw new Error('not configured')
  const parts = { now: clock.now, onProblem: (reason: string) => void problems.push(reason), fetch }
  return { tokens: new Tokens(config, parts), clock, problems }
}

const ALL = ['HS256', 'RS256', 'ES256'] as const

t.test('who a token makes its owner', async (t) => {
  const folder = t.testdir({ secret: `${SECRET}\n`, 'keys.json': KEYS })
  const { tokens } = tokensOf({
    algorithms: [...ALL],
    secretFile: join(folder, 'secret'),
    jwksFile: join(folder, 'keys.json'),
  })
  const nothing = { groups: [], publish: undefined, subscribe: undefined, expiresAtMs: NOW_MS + 65_000 }
  for (const made of [byRsa(BOB), byEc(BOB), byHmac(BOB)]) {
    t.ok(isToken(made))
    t.same(await tokens.login(made), { userName: 'bob', claims: nothing })
  }
  const { claims } = (await tokens.login(
    byRsa({ sub: 'bob', groups: ['a', 'b'], publish: 'line/1/#', subscribe: [] }),
  )) as TokenLogin
  t.same(claims, { groups: ['a', 'b'], publish: ['line/1/#'], subscribe: [], expiresAtMs: undefined })
})

t.test('tokens that are refused', async (t) => {
  const folder = t.testdir({ secret: SECRET, 'keys.json': KEYS })
  const { tokens } = tokensOf({
    algorithms: [...ALL],
    secretFile: join(folder, 'secret'),
    jwksFile: join(folder, 'keys.json'),
    issuer: 'https://id.example',
    audience: 'merlot',
  })
  const good = { ...BOB, iss: 'https://id.example', aud: ['merlot'] }
  t.match(await tokens.login(byRsa(good)), { userName: 'bob' })
  const publicPem = rsa.publicKey.export({ format: 'pem', type: 'spki' })
  const unsigned = (alg: string): Uint8Array => token({ alg }, good, () => Buffer.alloc(0))
  for (const [what, wrong, reason] of [
    ['none', unsigned('none'), /kind that is not accepted/],
    ['None', unsigned('None'), /kind that is not accepted/],
    ['an algorithm that is not accepted', byRsa(good, rsa.privateKey, { alg: 'RS512' }), /kind that is not accepted/],
    ['a public key as shared secret', byHmac(good, publicPem as string), /signature of the token is wrong/],
    [
      'an HMAC that says RS256',
      token({ alg: 'RS256', kid: 'one' }, good, (text) => createHmac('sha256', SECRET).update(text).digest()),
      /signature of the token is wrong/,
    ],
    ['a key of its own', byRsa(good, otherRsa.privateKey), /signature of the token is wrong/],
    [
      'a key in its header',
      byRsa(good, otherRsa.privateKey, { jwk: otherRsa.publicKey.export({ format: 'jwk' }) }),
      /signature/,
    ],
    ['a key that is not known', byRsa(good, rsa.privateKey, { kid: 'three' }), /cannot be verified/],
    ['a demand that is not understood', byRsa(good, rsa.privateKey, { crit: ['x'], x: 1 }), /cannot be verified/],
    ['expired', byRsa({ ...good, exp: NOW - 6 }), /expired/],
    ['not valid yet', byRsa({ ...good, nbf: NOW + 6 }), /claim nbf/],
    ['an expiry that is none', byRsa({ ...good, exp: 'tomorrow' }), /claim exp/],
    ['another issuer', byRsa({ ...good, iss: 'https://id.example.evil' }), /claim iss/],
    ['no issuer', byRsa({ ...BOB, aud: 'merlot' }), /claim iss/],
    ['another audience', byRsa({ ...good, aud: 'other' }), /claim aud/],
    ['no user', byRsa({ ...good, sub: undefined }), /no text as claim sub/],
    ['a number as user', byRsa({ ...good, sub: 7 }), /no text as claim sub/],
    ['an empty user', byRsa({ ...good, sub: '' }), /is empty/],
    ['control characters', byRsa({ ...good, sub: 'a\u0000b' }), /control characters/],
    ['root', byRsa({ ...good, sub: 'root' }), /cannot make its owner root/],
    ['groups that are none', byRsa({ ...good, groups: { admin: true } }), /should be a list/],
    ['filters that are none', byRsa({ ...good, publish: null }), /should be a list/],
    ['a list with a number', byRsa({ ...good, subscribe: ['a', 7] }), /should be a list/],
  ] as const) {
    t.match(await tokens.login(wrong), reason, what)
  }
  t.match(await tokens.login(byRsa({ ...good, exp: NOW - 4 })), { userName: 'bob' }, 'within the skew of clocks')
})

t.test('what is no token', async (t) => {
  for (const text of ['', 'secret', 'eyJ', 'eyJ.a', 'a.b.c', 'eyJ a.b.c', `eyJ${'a'.repeat(16_384)}.b.c`]) {
    t.notOk(isToken(Buffer.from(text)), text.slice(0, 20))
  }
})

t.test('files of keys are read again when they change', async (t) => {
  const folder = t.testdir({ 'keys.json': keySet(['one', rsa.publicKey]) })
  const path = join(folder, 'keys.json')
  const { tokens, clock, problems } = tokensOf({ algorithms: ['RS256'], jwksFile: path })
  const replaceBy = (text: string): void => {
    writeFileSync(`${path}.new`, text)
    renameSync(`${path}.new`, path)
    clock.ms += 1_000
  }
  const login = () => tokens.login(byRsa({ sub: 'bob' }))
  t.match(await login(), { userName: 'bob' })
  for (const [what, damaged] of [
    ['empty', ''],
    ['half-written', KEYS.slice(0, 100)],
    ['no key set', '{}'],
    ['without keys', '{"keys":[]}'],
  ]) {
    problems.length = 0
    replaceBy(damaged)
    t.match(await login(), { userName: 'bob' }, `${what}: the last good one stays`)
    clock.ms += 1_000
    await login()
    t.equal(problems.length, 1, 'told once')
  }
  replaceBy(keySet(['one', otherRsa.publicKey]))
  t.match(await login(), /signature/, 'another key')
  problems.length = 0
  rmSync(path)
  clock.ms += 1_000
  t.match(await tokens.login(byRsa({ sub: 'bob' }, otherRsa.privateKey)), { userName: 'bob' }, 'removed: the same')
  t.match(problems, [/no such file/])
})

t.test('without a good file nobody comes in', async (t) => {
  const folder = t.testdir({ short: 'short', 'keys.json': '{}' })
  for (const [jwt, reason] of [
    [{ algorithms: ['HS256' as const], secretFile: join(folder, 'short') }, /at least 32 bytes/],
    [{ algorithms: ['HS256' as const], secretFile: join(folder, 'missing') }, /no such file/],
    [{ algorithms: ['HS256' as const], secretFile: folder }, /no file/],
    [{ algorithms: ['RS256' as const], jwksFile: join(folder, 'keys.json') }, /keys.json/],
  ] as const) {
    const { tokens, problems } = tokensOf({ ...jwt, algorithms: [...jwt.algorithms] })
    const made = jwt.algorithms[0] === 'HS256' ? byHmac(BOB, 'short') : byRsa(BOB)
    t.match(await tokens.login(made), /cannot be verified/)
    t.match(problems, [reason])
  }
})

t.test('keys at an address', async (t) => {
  let answer = (response: ServerResponse): void => void response.end(keySet(['one', rsa.publicKey]))
  let asked = 0
  const server = createServer((_request, response) => {
    asked++
    answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`

  const first = tokensOf({ algorithms: ['RS256'], jwksUrl })
  t.match(await first.tokens.login(byRsa(BOB)), { userName: 'bob' })
  await first.tokens.login(byRsa(BOB))
  t.equal(asked, 1, 'asked once')
  await first.tokens.login(byRsa(BOB, otherRsa.privateKey, { kid: 'new' }))
  t.equal(asked, 1, 'tokens cannot make the broker ask again so soon')

  answer = (response) => void response.writeHead(500).end()
  const failing = tokensOf({ algorithms: ['RS256'], jwksUrl })
  asked = 0
  for (let i = 0; i < 3; i++) t.match(await failing.tokens.login(byRsa(BOB)), /cannot be verified/)
  t.equal(asked, 1, 'after a failure it is left alone')
  t.match(failing.problems, [/status 500/])
  for (const wrong of ['', '{}', '{"keys":[]}']) {
    answer = (response) => void response.end(wrong)
    const made = tokensOf({ algorithms: ['RS256'], jwksUrl })
    t.match(await made.tokens.login(byRsa(BOB)), /cannot be verified/)
    t.equal(made.problems.length, 1, wrong)
  }

  asked = 0
  answer = (response) => void response.end(`{"keys":[],"x":"${'x'.repeat(1_100_000)}"}`)
  const huge = tokensOf({ algorithms: ['RS256'], jwksUrl })
  t.match(await huge.tokens.login(byRsa(BOB)), /cannot be verified/)
  t.match(huge.problems, [/more than 1048576 bytes/])
  await huge.tokens.login(byRsa(BOB))
  t.equal(asked, 1, 'after a failure it is left alone')
  answer = (response) => void response.end(keySet(['one', rsa.publicKey]))
  huge.clock.ms += 30_000
  t.match(await huge.tokens.login(byRsa({ sub: 'bob' })), { userName: 'bob' })
})
