/** Where `pub` and `sub` connect to, from a URL or from single options. */
import { resolve } from 'node:path'
import type { CommandContext, OptionValues } from './command.js'
import { wrongUsage } from './exit.js'

export interface TlsFiles {
  readonly caFile: string | undefined
  readonly certFile: string | undefined
  readonly keyFile: string | undefined
  /** Accept any certificate. */
  readonly insecure: boolean
}

export interface Target {
  readonly transport: 'tcp' | 'tls' | 'ws' | 'wss' | 'unix'
  readonly host: string
  readonly port: number
  /** URL path of a WebSocket, with its query, or the file of a Unix socket. */
  readonly path: string
  /** For messages; without user name and password. */
  readonly url: string
  readonly userName: string | undefined
  readonly password: string | undefined
  readonly tls: TlsFiles
}

const URL_TRANSPORTS = {
  'mqtt:': 'tcp',
  'tcp:': 'tcp',
  'mqtts:': 'tls',
  'tls:': 'tls',
  'ws:': 'ws',
  'wss:': 'wss',
} as const
/** Of Merlot's listeners; a URL of WebSocket means the ports of the web. */
const DEFAULT_PORTS = { tcp: 1883, tls: 8883, ws: 5000, wss: 5443 } as const
const URL_SCHEMES = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' } as const
const URL_REMEDY = 'write mqtt://HOST, mqtts://HOST, ws://HOST/PATH, wss://HOST/PATH or unix:/FILE'

/** @throws CommandError for a URL that is not valid or options that contradict one another */
export function targetOf(values: OptionValues, context: CommandContext): Target {
  const tls: TlsFiles = {
    caFile: values.text('ca'),
    certFile: values.text('cert'),
    keyFile: values.text('key'),
    insecure: values.flag('insecure'),
  }
  const secure = values.flag('tls') || tls.insecure || (tls.caFile ?? tls.certFile ?? tls.keyFile) !== undefined
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    throw wrongUsage('--cert and --key belong together', 'give both')
  }
  const url = values.text('url')
  const target =
    url === undefined ? targetOfOptions(values, context, secure, tls) : targetOfUrl(url, values, context, tls)
  if (secure && target.transport !== 'tls' && target.transport !== 'wss') {
    throw wrongUsage(`options of TLS do not fit ${target.url}`, 'use mqtts:// or wss://, or leave them out')
  }
  return target
}

function targetOfOptions(values: OptionValues, context: CommandContext, secure: boolean, tls: TlsFiles): Target {
  const socketFile = values.text('unix')
  if (socketFile !== undefined) {
    refuseTogether('unix', values, ['host', 'port', 'ws', 'path', 'tls'])
    return unixTarget(resolve(context.workingDirectory, socketFile), tls)
  }
  const webSocket = values.flag('ws') || values.has('path')
  const transport = webSocket ? (secure ? 'wss' : 'ws') : secure ? 'tls' : 'tcp'
  const host = values.text('host') ?? '127.0.0.1'
  const port = values.integer('port') ?? DEFAULT_PORTS[transport]
  return networkTarget(transport, host, port, values.text('path') ?? '/mqtt', tls)
}

function targetOfUrl(text: string, values: OptionValues, context: CommandContext, tls: TlsFiles): Target {
  refuseTogether('url', values, ['host', 'port', 'ws', 'path', 'unix'])
  const socketFile = /^unix:(?:\/\/)?(.+)$/.exec(text)?.[1]
  if (socketFile !== undefined) return unixTarget(resolve(context.workingDirectory, socketFile), tls)
  const url = URL.canParse(text) ? new URL(text) : undefined
  const transport = url === undefined ? undefined : URL_TRANSPORTS[url.protocol as keyof typeof URL_TRANSPORTS]
  if (url === undefined || transport === undefined || url.hostname === '') {
    throw wrongUsage(`${withoutCredentials(text)} is not the URL of a broker`, URL_REMEDY)
  }
  const webPort = transport === 'ws' ? 80 : transport === 'wss' ? 443 : DEFAULT_PORTS[transport]
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const path = `${url.pathname === '' ? '/' : url.pathname}${url.search}`
  const target = networkTarget(transport, host, url.port === '' ? webPort : Number(url.port), path, tls)
  return { ...target, userName: decoded(url.username), password: decoded(url.password) }
}

function networkTarget(
  transport: 'tcp' | 'tls' | 'ws' | 'wss',
  host: string,
  port: number,
  path: string,
  tls: TlsFiles,
): Target {
  const webSocket = transport === 'ws' || transport === 'wss'
  const printedHost = host.includes(':') ? `[${host}]` : host
  const url = `${URL_SCHEMES[transport]}://${printedHost}:${port}${webSocket ? path : ''}`
  return { transport, host, port, path, url, userName: undefined, password: undefined, tls }
}

function unixTarget(path: string, tls: TlsFiles): Target {
  return {
    transport: 'unix',
    host: '',
    port: 0,
    path,
    url: `unix:${path}`,
    userName: undefined,
    password: undefined,
    tls,
  }
}

function refuseTogether(option: string, values: OptionValues, others: readonly string[]): void {
  const other = others.find((name) => values.has(name))
  if (other !== undefined) throw wrongUsage(`--${option} and --${other} are both given`, 'keep one of the two')
}

function decoded(part: string): string | undefined {
  try {
    return part === '' ? undefined : decodeURIComponent(part)
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    throw wrongUsage(
      'user name or password in the URL are not valid',
      'write special characters as %XX, or use -u and -P',
    )
  }
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//')
}
