/** Where a broker listens, and how to get in. */
export interface Target {
  readonly url: string
  readonly transport: 'tcp' | 'tls' | 'ws' | 'wss'
  readonly host: string
  readonly port: number
  readonly userName: string | undefined
  readonly password: string | undefined
  /** PEM text of the authorities to trust instead of the well-known ones. */
  readonly ca: string | undefined
  /** Accepts any certificate. */
  readonly insecure: boolean
}

export interface Admission {
  readonly userName?: string
  readonly password?: string
  readonly ca?: string
  readonly insecure?: boolean
}

const SCHEMES: Readonly<Record<string, { transport: Target['transport']; port: number }>> = {
  'mqtt:': { transport: 'tcp', port: 1883 },
  'tcp:': { transport: 'tcp', port: 1883 },
  'mqtts:': { transport: 'tls', port: 8883 },
  'tls:': { transport: 'tls', port: 8883 },
  'ws:': { transport: 'ws', port: 80 },
  'wss:': { transport: 'wss', port: 443 },
}

/** User name and password in the URL are used when `admission` has none. @throws RangeError that says what is wrong */
export function parseTarget(text: string, admission: Admission = {}): Target {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const scheme = url === undefined ? undefined : SCHEMES[url.protocol]
  if (url === undefined || scheme === undefined || url.hostname === '') {
    throw new RangeError(`"${text}" is not a broker URL: write mqtt://HOST:PORT, or mqtts://, ws:// or wss://`)
  }
  const { transport } = scheme
  const port = url.port === '' ? scheme.port : Number(url.port)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const path = url.pathname === '/' || url.pathname === '' ? '/mqtt' : url.pathname
  const isWebSocket = transport === 'ws' || transport === 'wss'
  return {
    url: `${url.protocol}//${url.hostname}:${port}${isWebSocket ? path + url.search : ''}`,
    transport,
    host,
    port,
    userName: admission.userName ?? (url.username === '' ? undefined : decodeURIComponent(url.username)),
    password: admission.password ?? (url.password === '' ? undefined : decodeURIComponent(url.password)),
    ca: admission.ca,
    insecure: admission.insecure ?? false,
  }
}
