/** What a configuration promises and the machine must keep: files, folders, ports; and what is unwise. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { BrokerError } from '../base/errors.js'
import { systemReason } from '../base/system-error.js'
import { checkCertificates } from './check-certificates.js'
import { checkExposure } from './check-exposure.js'
import { checkSecrets } from './check-secrets.js'
import type { Finding } from './finding.js'
import type { BrokerConfig, Listener } from './schema.js'

/** `sun_path` without its end. */
const SOCKET_PATH_BYTES_MAX = process.platform === 'linux' ? 107 : 103

/** Looks, but changes nothing: neither a folder nor a listener is opened. @param nowMs milliseconds since 1970 */
export function checkConfig(config: BrokerConfig, nowMs: number): readonly Finding[] {
  return [
    ...config.listeners.flatMap((listener, index) => checkCertificates(`listeners.${index}`, listener, nowMs)),
    ...checkAddresses(config.listeners),
    ...checkSocketPaths(config.listeners),
    ...checkFolder(config.dataDirectory),
    ...checkWheelsFolder(config.python.wheelsFolder),
    ...checkExposure(config.listeners),
    ...checkSecrets(config),
    ...checkThreads(config),
  ]
}

function checkAddresses(listeners: readonly Listener[]): Finding[] {
  const findings: Finding[] = []
  listeners.forEach((listener, index) => {
    const earlier = listeners.slice(0, index).findIndex((other) => shareAddress(listener, other))
    if (earlier === -1) return
    const address = listener.type === 'unix' ? listener.path : `${listener.host} port ${listener.port}`
    findings.push({
      severity: 'error',
      message: `listeners.${earlier} and listeners.${index} both want ${address}`,
      remedy: 'give one of them another address',
    })
  })
  return findings
}

function shareAddress(one: Listener, other: Listener): boolean {
  if (one.type === 'unix' || other.type === 'unix') return one.type === other.type && one.path === other.path
  return one.port !== 0 && one.port === other.port && hostsOverlap(one.host, other.host)
}

/** `::` takes the port of all IPv4 addresses too, where the system does not say otherwise. */
function hostsOverlap(one: string, other: string): boolean {
  if (one === other || one === '::' || other === '::') return true
  const bothFour = !one.includes(':') && !other.includes(':')
  return bothFour && (one === '0.0.0.0' || other === '0.0.0.0')
}

function checkSocketPaths(listeners: readonly Listener[]): Finding[] {
  const findings: Finding[] = []
  listeners.forEach(({ type, path }, index) => {
    const bytes = Buffer.byteLength(path)
    if (type !== 'unix' || bytes <= SOCKET_PATH_BYTES_MAX) return
    findings.push({
      severity: 'error',
      message: `listeners.${index}: the path of a Unix socket has at most ${SOCKET_PATH_BYTES_MAX} bytes, this one ${bytes}`,
      remedy: 'choose a shorter path',
    })
  })
  return findings
}

/** The data folder, or where it is missing the folder it will be made in, must accept files. */
function checkFolder(folder: string): Finding[] {
  let existing = folder
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing)
  try {
    if (!statSync(existing).isDirectory()) throw new Error(`${existing} is a file`)
    accessSync(existing, constants.R_OK | constants.W_OK | constants.X_OK)
    return []
  } catch (error) {
    const { message, remedy } = new BrokerError('FOLDER_UNUSABLE', { path: folder, reason: systemReason(error) })
    return [{ severity: 'error', message, remedy }]
  }
}

/** The broker starts without it; it is read when a package is installed by its name. */
function checkWheelsFolder(folder: string): Finding[] {
  if (folder === '') return []
  const problem = (text: string): Finding[] => {
    const remedy = 'make the folder, or correct the setting: packages are installed from there by their names'
    return [{ severity: 'warning', message: `python.wheelsFolder: ${folder} ${text}`, remedy }]
  }
  try {
    if (!statSync(folder).isDirectory()) return problem('is no folder')
    accessSync(folder, constants.R_OK | constants.X_OK)
    return []
  } catch (error) {
    return problem(`cannot be read: ${systemReason(error)}`)
  }
}

function checkThreads({ threads }: BrokerConfig): Finding[] {
  const cores = availableParallelism()
  if (threads.shards === 'auto' || threads.shards <= 2 * cores) return []
  return [
    {
      severity: 'warning',
      message: `threads.shards is ${threads.shards}, on a machine with ${cores} cores`,
      remedy: 'more threads than cores cost memory and time: leave it at auto',
    },
  ]
}
