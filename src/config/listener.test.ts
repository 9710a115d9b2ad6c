import t from 'tap'
import { Listener } from './listener.js'

function problemsOf(listener: unknown): readonly string[] {
  const { error } = Listener.safeParse(listener)
  return error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? []
}

t.test('defaults follow from the type', async (t) => {
  const tls = { certFile: 'c', keyFile: 'k' }
  t.match(Listener.parse({ type: 'tcp' }), { host: '127.0.0.1', port: 1883 })
  t.match(Listener.parse({ type: 'tls', tls }), {
    port: 8883,
    tls: { clientCertificate: 'none', minVersion: 'TLSv1.2' },
  })
  t.match(Listener.parse({ type: 'ws' }), { port: 5000, path: '/mqtt' })
  t.match(Listener.parse({ type: 'wss', tls }), { port: 5443, path: '/mqtt' })
  t.match(Listener.parse({ type: 'ws', port: 0 }), { port: 0 })
})

t.test('what must agree', async (t) => {
  const tls = { certFile: 'c', keyFile: 'k' }
  t.same(problemsOf({ type: 'wss' }), ['tls must be given for a listener of type wss'])
  t.same(problemsOf({ type: 'ws', tls }), ['tls is for listeners of type tls and wss, not ws'])
  t.same(problemsOf({ type: 'unix' }), ['path must name the file of a listener of type unix'])
  t.same(problemsOf({ type: 'ws', path: 'mqtt' }), ['path must begin with /, but "mqtt" was given'])
  t.same(problemsOf({ type: 'tls', tls: {} }), [
    'tls.certFile must be given (or pfxFile)',
    'tls.keyFile must be given (or pfxFile)',
  ])
  t.same(problemsOf({ type: 'tls', tls: { ...tls, pfxFile: 'p' } }), [
    'tls.pfxFile is given together with certFile or keyFile: keep one of the two',
  ])
  t.same(problemsOf({ type: 'tls', tls: { ...tls, clientCertificate: 'required' } }), [
    'tls.caFile must be given, because clientCertificate is required',
  ])
  t.same(problemsOf({ type: 'tls', tls: { pfxFile: 'p', caFile: 'a', clientCertificate: 'optional' } }), [])
})
