/** `--host`, `--port` and `--ws-port`: short ways to say where the broker listens, laid over the listeners it has. */
import type { KeyPath } from './keys.js'
import type { Origin } from './origin.js'
import type { Overlay } from './overlay.js'

export interface ListenerFlags {
  /** For all listeners but Unix sockets. */
  readonly host?: string
  /** For the first listener of type `tcp`; one is added where there is none. */
  readonly port?: string
  /** For the first listener of type `ws`; one is added where there is none. */
  readonly wsPort?: string
}

const LISTENERS: KeyPath = ['listeners']

export function applyListenerFlags(overlay: Overlay, flags: ListenerFlags, setText: SetText): void {
  if (flags.port !== undefined) applyPort(overlay, 'tcp', flags.port, '--port', setText)
  if (flags.wsPort !== undefined) applyPort(overlay, 'ws', flags.wsPort, '--ws-port', setText)
  if (flags.host === undefined) return
  for (const [index, listener] of overlay.listAt(LISTENERS).entries()) {
    if (typeOf(listener) !== 'unix')
      setText([...LISTENERS, index, 'host'], flags.host, { kind: 'flag', flag: '--host' })
  }
}

/** Lays the value that a text means over a key. */
export type SetText = (path: KeyPath, text: string, origin: Origin) => void

function applyPort(overlay: Overlay, type: 'tcp' | 'ws', port: string, flag: string, setText: SetText): void {
  const listeners = overlay.listAt(LISTENERS)
  const found = listeners.findIndex((listener) => typeOf(listener) === type)
  const index = found === -1 ? listeners.length : found
  const origin: Origin = { kind: 'flag', flag }
  if (found === -1) setText([...LISTENERS, index, 'type'], type, origin)
  setText([...LISTENERS, index, 'port'], port, origin)
}

function typeOf(listener: unknown): unknown {
  return (listener as { readonly type?: unknown } | undefined)?.type
}
