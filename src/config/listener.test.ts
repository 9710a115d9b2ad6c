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

t.test('what proxies, web pages, names and users must agree on', async (t) => {
  const tls = { certFile: 'c', keyFile: 'k' }
  const mutual = { ...tls, caFile: 'a', clientCertificate: 'required' }
  const proxyProtocol = { trusted: ['10.0.0.0/8'] }
  for (const listener of [
    { type: 'ws', origins: ['*', 'https://example.org', 'http://[::1]:8080'], compression: true },
    { type: 'tcp', proxyProtocol, certificateUser: 'commonName' },
    { type: 'tls', proxyProtocol, tls: mutual, certificateUser: 'fingerprint' },
    { type: 'unix', path: 's', anonymousUser: 'root' },
    { type: 'tcp', host: '::1', anonymousUser: 'root' },
    {
      type: 'tls',
      tls: {
        ...tls,
        names: [
          { serverName: '*.a-b.example', ...tls },
          { serverName: 'x', ...tls },
        ],
      },
    },
  ]) {
    t.same(problemsOf(listener), [], JSON.stringify(listener))
  }
  const named = (...serverNames: string[]) => ({
    type: 'tls',
    tls: { ...tls, names: serverNames.map((serverName) => ({ serverName, ...tls })) },
  })
  for (const [listener, wanted] of [
    [{ type: 'tcp', origins: ['*'] }, /^origins is for listeners of type ws and wss, not tcp$/],
    [{ type: 'tls', tls, compression: true }, /^compression is for listeners of type ws and wss, not tls$/],
    [{ type: 'ws', origins: ['example.org'] }, /^origins.0 must be an origin such as https:/],
    [{ type: 'ws', origins: ['https://example.org/'] }, /^origins.0 must be an origin such as https:/],
    [{ type: 'unix', path: 's', proxyProtocol }, /^proxyProtocol is not for listeners of type unix$/],
    [{ type: 'tcp', proxyProtocol: { trusted: ['10.0.0.0/33'] } }, /^proxyProtocol.trusted.0 must be an address/],
    [{ type: 'tcp', host: '0.0.0.0', anonymousUser: 'root' }, /^anonymousUser may be root only where/],
    [{ type: 'tcp', anonymousUser: 'root', proxyProtocol }, /^anonymousUser may be root only where/],
    [{ type: 'tcp', certificateUser: 'commonName' }, /^certificateUser is commonName, and clients of a listener/],
    [{ type: 'tls', tls, certificateUser: 'commonName' }, /^certificateUser is .*tls.clientCertificate is none/],
    [{ type: 'ws', proxyProtocol, certificateUser: 'fingerprint' }, /^certificateUser must be commonName here/],
    [{ type: 'tls', tls: { ...tls, crlFile: 'r' } }, /^tls.crlFile is of no use/],
    [named('Example.org'), /^tls.names.0.serverName must be a host name in lower case/],
    [named('a.*.org'), /^tls.names.0.serverName must be a host name/],
    [named('a', 'b', 'a'), /^tls.names.2.serverName is "a", as that of an earlier entry$/],
    [
      { type: 'tls', tls: { ...tls, names: [{ serverName: 'a', certFile: 'c' }] } },
      /^tls.names.0.keyFile must be given/,
    ],
  ] as const) {
    t.match(problemsOf(listener), [wanted], JSON.stringify(listener))
  }
})
