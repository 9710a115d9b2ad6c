/** What `merlot start` prints once the broker listens. Scripts wait for its lines `listening on URL`. */
import { basename } from 'node:path'
import { isLocal } from '../config/listener.js'
import type { LoadedConfig } from '../config/load.js'
import type { ListenerAddress } from '../main.js'
import { versionLine } from './version.js'

/** What needs no certificate to be tried, best first. */
const TRY_TYPES: readonly ListenerAddress['type'][] = ['tcp', 'ws', 'unix']

export function bannerLines(
  loaded: LoadedConfig,
  addresses: readonly ListenerAddress[],
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const { listeners, dataDirectory } = loaded.config
  return [
    versionLine(),
    `configuration: ${loaded.file ?? 'defaults (no file)'}`,
    `data folder: ${dataDirectory}`,
    ...addresses.map(({ url }) => `listening on ${url}`),
    listeners.every(isLocal)
      ? 'open to this machine only; --host 0.0.0.0 opens it to the network'
      : 'open to the network',
    ...tryLines(addresses, environment),
    'stop with Ctrl+C',
  ]
}

function tryLines(
  addresses: readonly ListenerAddress[],
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const [address] = TRY_TYPES.flatMap((wanted) => addresses.filter(({ type }) => type === wanted))
  if (address === undefined) return []
  const program = programName(process.argv[1] ?? '', environment)
  const where = whereOption(address)
  return [
    'try it in two other terminals:',
    `  ${program} sub${where} -t hello`,
    `  ${program} pub${where} -t hello -m world`,
  ]
}

/** What is told once, with its commands as the user can call them. */
export function noticeLines(
  lines: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const program = programName(process.argv[1] ?? '', environment)
  return lines.map((line) => line.replaceAll('"merlot ', `"${program} `))
}

/** How the user starts this program: by its name when it is installed, through npx in a clone. */
export function programName(script: string, environment: Readonly<Record<string, string | undefined>>): string {
  const installed = basename(script) === 'merlot' && environment.npm_command === undefined
  return installed ? 'merlot' : 'npx merlot'
}

/** Nothing for the address that `pub` and `sub` take by default. */
function whereOption({ type, host, port, url }: ListenerAddress): string {
  const local = host === '127.0.0.1' || host === '0.0.0.0' || host === '::'
  if (type === 'tcp' && local) return port === 1883 ? '' : ` -p ${port}`
  return ` --url ${url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')}`
}
