/** Who reaches the listeners, and what they let in or show. */
import { parseAddressRange } from '../base/address.js'
import type { Finding } from './finding.js'
import { isLocal } from './listener.js'
import type { Listener } from './schema.js'

export function checkExposure(listeners: readonly Listener[]): Finding[] {
  const open = listeners.filter((listener) => !isLocal(listener))
  return [
    ...about(
      open.filter(({ anonymous, tls }) => anonymous === 'allow' && tls?.clientCertificate !== 'required'),
      'whoever reaches this machine is admitted without a user name',
      'set "anonymous" to deny, listen on 127.0.0.1, or require client certificates',
    ),
    ...about(
      open.filter((listener) => (listener.type === 'tcp' || listener.type === 'ws') && !isOnLoopback(listener)),
      'passwords and messages cross the network for everybody to read',
      'use a listener of type tls or wss, or put a proxy with TLS before it and listen on 127.0.0.1',
    ),
    ...about(
      listeners.filter(({ anonymousUser }) => anonymousUser === 'root'),
      'every program on this machine is root without a password',
      'leave out "anonymousUser", or name a user with fewer rights',
    ),
    ...about(
      listeners.filter(({ origins }) => origins.includes('*')),
      'every web page that a browser here shows may connect',
      'name the origins of your pages instead of *',
    ),
    ...about(
      listeners.filter(({ proxyProtocol }) => proxyProtocol?.trusted.some(isEverybody)),
      'everybody may claim to be a proxy, and to come from any address',
      'name the addresses of your proxies in proxyProtocol.trusted',
    ),
  ]
}

/** One finding for all listeners that it concerns. */
function about(listeners: readonly Listener[], message: string, remedy: string): Finding[] {
  if (listeners.length === 0) return []
  const addresses = listeners.map(({ type, host, port, path }) =>
    type === 'unix' ? `unix ${path}` : `${type} ${host} port ${port}`,
  )
  return [{ severity: 'warning', message: `${message}: ${addresses.join(', ')}`, remedy }]
}

/** Only its proxies reach it, and these are on this machine. */
function isOnLoopback(listener: Listener): boolean {
  return isLocal({ ...listener, proxyProtocol: undefined })
}

function isEverybody(network: string): boolean {
  return parseAddressRange(network)?.prefix === 0
}
