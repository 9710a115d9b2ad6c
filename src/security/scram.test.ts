import t from 'tap'
import { ReasonCode } from '../mqtt/reason-codes.js'
import type { ExchangeStep } from './authenticator.js'
import { decoyVerifier, type ScramMechanism, scramVerifier } from './scram.js'
import { ScramExchange } from './scram-exchange.js'
import { directoryOf, ScramClient, scramUser } from './security.fixture.js'

const MECHANISM = 'SCRAM-SHA-256'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

function textOf(step: ExchangeStep): string {
  if (step.kind === 'refused' || step.data === undefined) throw new Error(`${step.kind} without data`)
  return Buffer.from(step.data).toString()
}

/** One login to its end. */
async function login(exchange: ScramExchange, client: ScramClient): Promise<ExchangeStep> {
  const challenge = await exchange.step(bytes(client.first))
  return challenge.kind === 'continue' ? exchange.step(bytes(client.final(textOf(challenge)))) : challenge
}

t.test('the example of RFC 7677, section 3', async (t) => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
  const verifier = await scramVerifier(MECHANISM, 'pencil', salt, 4_096)
  const exchange = new ScramExchange({
    mechanism: MECHANISM,
    directory: directoryOf({ name: 'user', passwordHash: undefined, scram: { [MECHANISM]: verifier } }),
    iterations: 4_096,
    userName: undefined,
    makeNonce: () => '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  })
  const challenge = await exchange.step(bytes('n,,n=user,r=rOprNGfwEbeRWgbNEkqO'))
  t.equal(textOf(challenge), 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096')
  const proof =
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='
  const end = await exchange.step(bytes(proof))
  t.match(end, { kind: 'admitted', userName: 'user' })
  t.equal(textOf(end), 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
})

for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
  t.test(`logins by ${mechanism}`, async (t) => {
    const directory = directoryOf(
      await scramUser('bob', 'secret', mechanism),
      await scramUser('a,b=c', 'secret', mechanism),
      await scramUser('ix', 'ⅸ', mechanism),
    )
    const begin = (userName?: string) =>
      new ScramExchange({ mechanism: mechanism as ScramMechanism, directory, iterations: 4_096, userName })
    const right = new ScramClient(mechanism, 'bob', 'secret')
    const end = await login(begin(), right)
    t.match(end, { kind: 'admitted', userName: 'bob' })
    t.ok(right.isServer(textOf(end)))
    t.match(await login(begin(), new ScramClient(mechanism, 'bob', 'secret', 'n', 'y,,')), { userName: 'bob' })
    t.match(await login(begin(), new ScramClient(mechanism, 'bob', 'secret', 'n', 'n,a=bob,')), { userName: 'bob' })
    t.match(await login(begin(), new ScramClient(mechanism, 'a=2Cb=3Dc', 'secret')), { userName: 'a,b=c' })
    t.match(await login(begin(), new ScramClient(mechanism, 'ⅸ', 'ix')), { userName: 'ix' }, 'prepared by NFKC')
    t.match(await login(begin('bob'), new ScramClient(mechanism, 'bob', 'secret')), { kind: 'admitted' })

    const wrong = await login(begin(), new ScramClient(mechanism, 'bob', 'secreT'))
    t.match(wrong, { kind: 'refused', reasonCode: ReasonCode.BAD_USER_NAME_OR_PASSWORD })
    t.same(await login(begin(), new ScramClient(mechanism, 'eve', 'secret')), wrong, 'unknown users look the same')
    const other = await login(begin('eve'), new ScramClient(mechanism, 'bob', 'secret'))
    t.match(other, { kind: 'refused', reasonCode: ReasonCode.NOT_AUTHORIZED, reason: /another user/ })
  })
}

t.test('messages that are not valid', async (t) => {
  const directory = directoryOf(await scramUser('bob', 'secret', MECHANISM))
  const begin = () => new ScramExchange({ mechanism: MECHANISM, directory, iterations: 4_096, userName: undefined })
  for (const first of [
    '',
    'n,,',
    'n=bob,r=abc',
    'p=tls-unique,,n=bob,r=abc',
    'n,a=eve,n=bob,r=abc',
    'n,,m=x,n=bob,r=abc',
    'n,,n=,r=abc',
    'n,,n=b=ob,r=abc',
    'n,,n=b\u0000b,r=abc',
    'n,,n=bob,r=',
    'n,,n=bob,r=a b',
    `n,,n=bob,r=${'a'.repeat(5_000)}`,
  ]) {
    t.match(await begin().step(bytes(first)), { kind: 'refused' }, JSON.stringify(first.slice(0, 30)))
  }
  t.match(await begin().step(new Uint8Array([0x6e, 0x2c, 0x2c, 0xff])), { kind: 'refused' }, 'no UTF-8')
  const client = new ScramClient(MECHANISM, 'bob', 'secret')
  const finals: ((final: string) => string)[] = [
    () => '',
    (final) => final.replace('c=biws', 'c=eSws'), // y, where it had said n: somebody in between has changed it
    (final) => final.replace('r=abcdef', 'r=abcdeg'),
    (final) => final.replace(/p=.*/, 'p='),
    (final) => final.replace(/p=.*/, 'p=AAAA'),
    (final) => final.replace(/p=./, (text) => (text === 'p=A' ? 'p=B' : 'p=A')),
  ]
  for (const change of finals) {
    const exchange = begin()
    const challenge = textOf(await exchange.step(bytes(client.first)))
    t.match(await exchange.step(bytes(change(client.final(challenge)))), { kind: 'refused' }, String(change))
  }
})

t.test('a proof for another first message', async (t) => {
  const directory = directoryOf(await scramUser('bob', 'secret', MECHANISM))
  const client = new ScramClient(MECHANISM, 'bob', 'secret')
  for (const change of [{}, { header: 'y,,' }, { nonce: 'abcdef' }]) {
    const exchange = new ScramExchange({ mechanism: MECHANISM, directory, iterations: 4_096, userName: undefined })
    const challenge = textOf(await exchange.step(bytes(client.first)))
    const kind = Object.keys(change).length === 0 ? 'admitted' : 'refused'
    t.match(await exchange.step(bytes(client.final(challenge, change))), { kind }, JSON.stringify(change))
  }
})

t.test('a client may wait until it is asked, once', async (t) => {
  const directory = directoryOf(await scramUser('bob', 'secret', MECHANISM))
  const exchange = new ScramExchange({ mechanism: MECHANISM, directory, iterations: 4_096, userName: undefined })
  t.same(await exchange.step(undefined), { kind: 'continue', data: undefined })
  t.match(await login(exchange, new ScramClient(MECHANISM, 'bob', 'secret')), { kind: 'admitted' })
  const silent = new ScramExchange({ mechanism: MECHANISM, directory, iterations: 4_096, userName: undefined })
  await silent.step(undefined)
  t.match(await silent.step(undefined), { kind: 'refused' })
})

t.test('a user that goes meanwhile', async (t) => {
  const directory = directoryOf(await scramUser('bob', 'secret', MECHANISM))
  const exchange = new ScramExchange({ mechanism: MECHANISM, directory, iterations: 4_096, userName: undefined })
  const client = new ScramClient(MECHANISM, 'bob', 'secret')
  const challenge = textOf(await exchange.step(bytes(client.first)))
  directory.change({ users: [], removedUsers: ['bob'], isWhole: false })
  t.match(await exchange.step(bytes(client.final(challenge))), { kind: 'refused' })
})

t.test('decoys stay the same, for each installation others', async (t) => {
  const key = Buffer.alloc(32, 1)
  const decoy = decoyVerifier(MECHANISM, 'eve', key, 4_096)
  t.same(decoyVerifier(MECHANISM, 'eve', key, 4_096), decoy)
  t.equal(Buffer.from(decoy.salt, 'base64').length, 16, 'as long as a salt')
  for (const other of [
    decoyVerifier(MECHANISM, 'eva', key, 4_096),
    decoyVerifier('SCRAM-SHA-512', 'eve', key, 4_096),
    decoyVerifier(MECHANISM, 'eve', Buffer.alloc(32, 2), 4_096),
  ]) {
    t.not(other.salt, decoy.salt)
  }
})
