/** The part of the configuration that says where the broker listens, and what its values must agree on. */
import { z } from 'zod'
import { FILE, SECRET } from './value-meta.js'

/** What a listener without a port takes. Unix sockets have none. */
const DEFAULT_PORTS = { tcp: 1883, tls: 8883, ws: 5000, wss: 5443, unix: 0 } as const
const DEFAULT_URL_PATH = '/mqtt'

const Tls = z.strictObject({
  certFile: z
    .string()
    .min(1)
    .optional()
    .describe('PEM file with the certificate and its chain.')
    .meta({ ...FILE }),
  keyFile: z
    .string()
    .min(1)
    .optional()
    .describe('PEM file with the private key of the certificate.')
    .meta({ ...FILE }),
  pfxFile: z
    .string()
    .min(1)
    .optional()
    .describe('PKCS#12 file with certificate and key, instead of `certFile` and `keyFile`.')
    .meta({ ...FILE }),
  passphrase: z
    .string()
    .optional()
    .describe('Passphrase of the key or the PKCS#12 file. Never logged.')
    .meta({ ...SECRET }),
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe('PEM file with the authorities that client certificates are checked against.')
    .meta({ ...FILE }),
  clientCertificate: z
    .enum(['none', 'optional', 'required'])
    .default('none')
    .describe('Whether clients present a certificate signed by an authority of `caFile`.'),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').describe('Oldest TLS version accepted.'),
})

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
  const problem = (path: readonly string[], message: string): void =>
    context.addIssue({ code: 'custom', path: [...path], message })
  const { type, path, tls } = listener
  const secure = type === 'tls' || type === 'wss'
  if (secure && tls === undefined) problem(['tls'], `must be given for a listener of type ${type}`)
  if (!secure && tls !== undefined) problem(['tls'], `is for listeners of type tls and wss, not ${type}`)
  if (type === 'unix' && path === undefined) problem(['path'], 'must name the file of a listener of type unix')
  if ((type === 'ws' || type === 'wss') && path?.startsWith('/') === false) {
    problem(['path'], `must begin with /, but ${JSON.stringify(path)} was given`)
  }
  if (tls === undefined || !secure) return
  const { certFile, keyFile, pfxFile, caFile, clientCertificate } = tls
  if (pfxFile !== undefined && (certFile ?? keyFile) !== undefined) {
    problem(['tls', 'pfxFile'], 'is given together with certFile or keyFile: keep one of the two')
  }
  if (pfxFile === undefined && certFile === undefined) problem(['tls', 'certFile'], 'must be given (or pfxFile)')
  if (pfxFile === undefined && keyFile === undefined) problem(['tls', 'keyFile'], 'must be given (or pfxFile)')
  if (clientCertificate !== 'none' && caFile === undefined) {
    problem(['tls', 'caFile'], `must be given, because clientCertificate is ${clientCertificate}`)
  }
}
