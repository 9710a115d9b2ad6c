/** The part of the configuration that says where the broker listens, and what its values must agree on. */
import { isIP } from 'node:net'
import * as z from 'zod'
import { isLocalAddress, parseAddressRange } from '../base/address.js'
import { checkTls, Tls } from './listener-tls.js'

/** What a listener without a port takes. Unix sockets have none. */
const DEFAULT_PORTS = { tcp: 1883, tls: 8883, ws: 5000, wss: 5443, unix: 0 } as const
const DEFAULT_URL_PATH = '/mqtt'

const ListenerShape = z.strictObject({
  type: z
    .enum(['tcp', 'tls', 'ws', 'wss', 'unix'])
    .describe('Transport: TCP, TLS, WebSocket, secure WebSocket or Unix socket.'),
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address to listen on; `0.0.0.0` and `::` are all networks. Not used by Unix sockets.'),
  port: z
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe(
      'Port; 0 takes a free one. Without it: 1883 for `tcp`, 8883 for `tls`, 5000 for `ws`, 5443 for `wss`. Not used by Unix sockets.',
    ),
  path: z
    .string()
    .min(1)
    .optional()
    .describe(
      'URL path of a WebSocket listener, `/mqtt` where left out; or the file of a Unix socket, which must be given.',
    ),
  anonymous: z
    .enum(['local', 'allow', 'deny'])
    .default('local')
    .describe('Whether clients without a user name are admitted: those on this machine, all, or none.'),
  anonymousUser: z
    .string()
    .min(1)
    .optional()
    .describe(
      'User whose rights clients without a user name have; those of nobody where left out. `root` on a listener that only this machine reaches, and nowhere else.',
    ),
  certificateUser: z
    .enum(['none', 'commonName', 'subjectAltName', 'fingerprint'])
    .default('none')
    .describe(
      'What of a client certificate is its user name: its common name, the first of its alternative names, or the SHA-256 of the certificate in lower-case hex. Its owner needs no password then.',
    ),
  proxyProtocol: z
    .strictObject({
      trusted: z
        .array(z.string().min(1).describe('Address, or network as `10.0.0.0/8`.'))
        .min(1)
        .max(1_000)
        .describe('Where proxies connect from; connections from elsewhere are closed.'),
    })
    .optional()
    .describe(
      'The listener is reached through proxies that tell whose connection they pass on (PROXY protocol, version 1 or 2): each connection must begin with that. Not for Unix sockets.',
    ),
  origins: z
    .array(z.string().min(1).describe('Origin as `https://example.org`, or `*` for all.'))
    .max(100)
    .default([])
    .describe(
      'Web pages that may connect to a WebSocket listener. Without any: those of the host that the client connects to.',
    ),
  compression: z
    .boolean()
    .default(false)
    .describe(
      'A WebSocket listener compresses messages for clients that offer it (permessage-deflate): less to send, more memory and time for each connection.',
    ),
  tls: Tls.optional().describe('Certificates; required for `tls` and `wss`, not allowed for the others.'),
})

/** One address the broker listens on, with every default filled in. */
export const Listener = ListenerShape.superRefine(checkListener).transform((listener) => ({
  ...listener,
  port: listener.port ?? DEFAULT_PORTS[listener.type],
  path: listener.path ?? DEFAULT_URL_PATH,
}))
export type Listener = z.infer<typeof Listener>

/** Problems carry a path below the listener and a message that follows the name of the key. */
function checkListener(listener: z.infer<typeof ListenerShape>, context: z.RefinementCtx): void {
  const problem = (path: readonly (string | number)[], message: string): void =>
    context.addIssue({ code: 'custom', path: [...path], message })
  const { type, path, tls } = listener
  const isSecure = type === 'tls' || type === 'wss'
  if (isSecure && tls === undefined) problem(['tls'], `must be given for a listener of type ${type}`)
  if (!isSecure && tls !== undefined) problem(['tls'], `is for listeners of type tls and wss, not ${type}`)
  if (type === 'unix' && path === undefined) problem(['path'], 'must name the file of a listener of type unix')
  if (tls !== undefined && isSecure) checkTls(tls, (at, message) => problem(['tls', ...at], message))
  checkWebSocket(listener, problem)
  checkProxies(listener, problem)
  checkUsers(listener, problem)
}

type Shape = z.infer<typeof ListenerShape>
type Problem = (path: readonly (string | number)[], message: string) => void

function checkWebSocket({ type, path, origins, compression }: Shape, problem: Problem): void {
  if (type !== 'ws' && type !== 'wss') {
    if (origins.length > 0) problem(['origins'], `is for listeners of type ws and wss, not ${type}`)
    if (compression) problem(['compression'], `is for listeners of type ws and wss, not ${type}`)
    return
  }
  if (path?.startsWith('/') === false) problem(['path'], `must begin with /, but ${JSON.stringify(path)} was given`)
  origins.forEach((origin, index) => {
    if (origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin)) return
    const message = `must be an origin such as https://example.org, or *, but ${JSON.stringify(origin)} was given`
    problem(['origins', index], message)
  })
}

function checkProxies({ type, proxyProtocol }: Shape, problem: Problem): void {
  if (proxyProtocol === undefined) return
  if (type === 'unix') problem(['proxyProtocol'], 'is not for listeners of type unix')
  proxyProtocol.trusted.forEach((text, index) => {
    if (parseAddressRange(text) !== undefined) return
    const message = `must be an address or a network such as 10.0.0.0/8, but ${JSON.stringify(text)} was given`
    problem(['proxyProtocol', 'trusted', index], message)
  })
}

function checkUsers(listener: Shape, problem: Problem): void {
  const { anonymousUser, certificateUser, proxyProtocol, tls } = listener
  if (anonymousUser === 'root' && !isLocal(listener)) {
    problem(['anonymousUser'], 'may be root only where nobody but programs on this machine can connect')
  }
  if (certificateUser === 'none') return
  if (tls !== undefined) {
    if (tls.clientCertificate !== 'none') return
    problem(
      ['certificateUser'],
      `is ${certificateUser}, and tls.clientCertificate is none: let it be required or optional`,
    )
  } else if (proxyProtocol === undefined) {
    problem(['certificateUser'], `is ${certificateUser}, and clients of a listener of this type show no certificates`)
  } else if (certificateUser !== 'commonName') {
    problem(['certificateUser'], `must be commonName here: a proxy tells no more of a certificate`)
  }
}

/** Whether only programs on this machine reach a listener. */
export function isLocal({ type, host, proxyProtocol }: Pick<Listener, 'type' | 'host' | 'proxyProtocol'>): boolean {
  return type === 'unix' || (proxyProtocol === undefined && isLoopbackHost(host))
}

export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || (isIP(host) !== 0 && isLocalAddress(host))
}
