/** Which web pages may open a WebSocket. Browsers let any page try, and tell where the page is from: the rest is ours. */
import { isIP } from 'node:net'

/**
 * @param origin header of that name; programs that are no browsers send none
 * @param host header of that name: where the client believes to connect to
 * @param allowed origins as browsers write them, or `*`; none for the pages of `host`
 * @param isLocal the client is on this machine
 * @returns why not
 */
export function originProblem(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
  isLocal: boolean,
): string | undefined {
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return undefined
  const remedy = 'name its origin in "origins" of this listener'
  if (allowed.length > 0) return `pages of this origin may not connect; ${remedy}`
  const pageHost = URL.canParse(origin) ? new URL(origin).hostname : ''
  const ownHost = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : ''
  if (pageHost === '' || pageHost !== ownHost) return `pages of other hosts may not connect; ${remedy}`
  // whoever owns a name can let it lead to this machine, and so to what listens here for nobody else (DNS rebinding)
  if (isLocal && !isNumberOrLocalhost(pageHost)) return `pages of a host with a name may not connect here; ${remedy}`
  return undefined
}

function isNumberOrLocalhost(host: string): boolean {
  return host === 'localhost' || isIP(host.replace(/^\[|\]$/g, '')) !== 0
}
