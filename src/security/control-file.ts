/**
 * `control.json` in the data folder: how its owner reaches the broker that runs on it as `root`. Written at each start
 * with a token of this start, so it is worth nothing when the broker has stopped.
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerError } from '../base/errors.js'
import { replaceFile } from '../base/replace-file.js'
import { systemCode, systemReason } from '../base/system-error.js'
import { ROOT } from './user-name.js'

const FILE = 'control.json'

export interface ControlAccess {
  /** As `merlot pub --url` takes it; on this machine. */
  readonly url: string
  readonly user: string
  readonly password: string
}

/** Resolves when it is there. @throws BrokerError FOLDER_UNUSABLE */
export async function writeControlFile(dataDirectory: string, url: string, token: string): Promise<void> {
  const access: ControlAccess = { url, user: ROOT, password: token }
  try {
    await replaceFile(join(dataDirectory, FILE), `${JSON.stringify(access)}\n`)
  } catch (cause) {
    throw new BrokerError('FOLDER_UNUSABLE', { path: dataDirectory, reason: systemReason(cause) }, { cause })
  }
}

/** @returns undefined where no broker has written one. @throws BrokerError FILE_UNREADABLE */
export function readControlFile(dataDirectory: string): ControlAccess | undefined {
  const path = join(dataDirectory, FILE)
  try {
    const { url, user, password } = JSON.parse(readFileSync(path, 'utf8')) as Partial<ControlAccess>
    if (url === undefined || user === undefined || password === undefined) throw new Error('it is not complete')
    return { url, user, password }
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined
    throw new BrokerError('FILE_UNREADABLE', { path, reason: systemReason(cause) }, { cause })
  }
}

/** Leaves the file of a broker that was started later. Never throws. */
export function removeControlFile(dataDirectory: string, token: string): void {
  try {
    if (readControlFile(dataDirectory)?.password === token) rmSync(join(dataDirectory, FILE), { force: true })
  } catch {
    // a file that cannot be read tells nobody anything, and its token ends with this process
  }
}

export interface ReachableListener {
  readonly type: 'tcp' | 'tls' | 'ws' | 'wss' | 'unix'
  readonly host: string
  readonly port: number
  readonly path: string
}

/** Those without certificates first. */
const PREFERENCE = ['unix', 'tcp', 'ws', 'tls', 'wss'] as const
const SCHEMES = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' } as const
const EVERYWHERE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }

/** @returns the address at which clients of this machine are known to be local; undefined where there is none */
export function controlUrl(listeners: readonly ReachableListener[]): string | undefined {
  for (const type of PREFERENCE) {
    for (const listener of listeners) {
      const url = listener.type === type ? localUrl(listener) : undefined
      if (url !== undefined) return url
    }
  }
  return undefined
}

function localUrl({ type, host, port, path }: ReachableListener): string | undefined {
  if (type === 'unix') return `unix:${path}`
  const isLoopback = host === 'localhost' || host === '::1' || host.startsWith('127.')
  const local = EVERYWHERE[host] ?? (isLoopback ? (host.includes(':') ? `[${host}]` : host) : undefined)
  return local === undefined ? undefined : `${SCHEMES[type]}://${local}:${port}${path}`
}
