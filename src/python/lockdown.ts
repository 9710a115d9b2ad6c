/**
 * Takes everything that reaches out of the process away from all code that runs in it later. Node's permission model
 * (sandbox-flags.ts) knows files, processes, threads and native code, but in most versions not the network; this file does
 * what is missing, at the lowest place that JavaScript reaches: the handles that sockets are made of lose their methods.
 * It cannot be undone. Files cannot be used either afterwards: who needs `fs` keeps the functions.
 */
import dgram from 'node:dgram'
import dns from 'node:dns'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

/** Modules of Node whose functions are replaced by ones that throw. */
const GUTTED_MODULES = [
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'dns/promises',
  'fs',
  'fs/promises',
  'http',
  'http2',
  'https',
  'inspector',
  'inspector/promises',
  'module',
  'net',
  'os',
  'repl',
  'tls',
  'v8',
  'vm',
  'worker_threads',
] as const

/** Of `process`: what acts on other processes, loads code, or reaches inner parts of Node. */
const WITHHELD_OF_PROCESS = [
  '_debugEnd',
  '_debugProcess',
  '_kill',
  '_linkedBinding',
  'binding',
  'chdir',
  'dlopen',
  'execve',
  'getBuiltinModule',
  'kill',
  'loadEnvFile',
  'mainModule',
  'openStdin',
  'ppid',
  'report',
  'setegid',
  'seteuid',
  'setgid',
  'setgroups',
  'setuid',
  'stderr',
  'stdin',
  'stdout',
] as const

const WITHHELD_GLOBALS = ['fetch', 'WebSocket', 'EventSource', 'navigator', 'localStorage', 'sessionStorage'] as const

export function lockDown(): void {
  disarmHandles()
  for (const name of WITHHELD_GLOBALS) replace(globalThis, name, undefined)
  const load = createRequire(import.meta.url)
  // all are loaded first: without `module` nothing can be
  const modules = GUTTED_MODULES.map((name) => loadIfThere(load, name))
  for (const exported of modules) if (exported !== undefined) gut(exported)
  syncBuiltinESMExports()
  for (const name of WITHHELD_OF_PROCESS) replace(process, name, undefined)
}

/** Makes one handle of each kind, and takes the methods from what all of its kind share. */
function disarmHandles(): void {
  const tcp = net.connect({ host: 'nowhere.invalid', port: 1, lookup: () => {} })
  const pipe = net.connect({ path: '/nowhere.invalid/socket' })
  const udp = dgram.createSocket('udp4')
  const resolver = new dns.Resolver()
  tcp.on('error', () => {})
  pipe.on('error', () => {})
  const handles = [handleOf(tcp), handleOf(pipe), udpHandleOf(udp), handleOf(resolver)]
  const prototypes = handles.map((handle) => Object.getPrototypeOf(handle) as object)
  tcp.destroy()
  pipe.destroy()
  udp.close()
  for (const prototype of prototypes) {
    for (const name of Object.getOwnPropertyNames(prototype)) if (name !== 'constructor') deny(prototype, name)
  }
}

function handleOf(owner: object): object {
  const handle = '_handle' in owner ? owner._handle : undefined
  if (typeof handle !== 'object' || handle === null) throw new Error('this version of Node keeps its handles elsewhere')
  return handle
}

function udpHandleOf(socket: dgram.Socket): object {
  for (const symbol of Object.getOwnPropertySymbols(socket)) {
    const state: unknown = Reflect.get(socket, symbol)
    if (typeof state !== 'object' || state === null || !('handle' in state)) continue
    if (typeof state.handle === 'object' && state.handle !== null) return state.handle
  }
  throw new Error('this version of Node keeps its handles elsewhere')
}

function loadIfThere(load: NodeJS.Require, name: string): object | undefined {
  try {
    return load(`node:${name}`) as object
  } catch {
    return undefined // not in this version of Node, or already withheld by the permission model
  }
}

function gut(exported: object): void {
  for (const name of Object.getOwnPropertyNames(exported)) {
    const found = Object.getOwnPropertyDescriptor(exported, name)
    const isData = found !== undefined && 'value' in found
    if (isData && (typeof found.value === 'function' || typeof found.value === 'object')) deny(exported, name)
    else if (!isData) replace(exported, name, undefined)
  }
  if (typeof exported === 'function' && 'prototype' in exported) {
    const prototype = (exported as { prototype: object }).prototype
    for (const name of Object.getOwnPropertyNames(prototype)) if (name !== 'constructor') deny(prototype, name)
  }
}

function deny(owner: object, name: string): void {
  replace(owner, name, () => {
    throw new Error(`${name} is not allowed in scripts`)
  })
}

function replace(owner: object, name: string, value: unknown): void {
  try {
    Object.defineProperty(owner, name, { value, writable: false, configurable: false, enumerable: false })
  } catch {
    Reflect.set(owner, name, value) // some are not configurable, and writable
  }
}
