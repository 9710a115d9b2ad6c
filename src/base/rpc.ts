/**
 * Typed calls between threads, over comlink: the control plane. Arguments and results are structured-cloneable. A call
 * in flight when the other thread dies would never settle, so every caller names the promise that tells of that death.
 */

import type { MessagePort } from 'node:worker_threads'
import * as Comlink from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { BrokerError, type ErrorCode } from './errors.js'

interface CarriedError {
  readonly message: string
  readonly stack: string | undefined
  readonly code: string | undefined
  readonly details: unknown
}

// comlink carries only name, message and stack of what was thrown; ours keep their code and details
const builtIn = Comlink.transferHandlers.get('throw')
Comlink.transferHandlers.set('throw', {
  canHandle: (value: unknown): value is { value: unknown } => builtIn?.canHandle(value) ?? false,
  serialize: ({ value }: { value: unknown }) => {
    const error = value instanceof Error ? value : new Error(String(value))
    const own = error instanceof BrokerError ? error : undefined
    const code = own?.code ?? (error as NodeJS.ErrnoException).code
    const carried: CarriedError = { message: error.message, stack: error.stack, code, details: own?.details }
    return [carried, []]
  },
  deserialize: (carried: CarriedError): never => {
    if (carried.details !== undefined) {
      throw new BrokerError(carried.code as ErrorCode, carried.details as BrokerError['details'])
    }
    throw Object.assign(new Error(carried.message), { code: carried.code, stack: carried.stack })
  },
})

/** The far side of `Api`, whose methods all answer with promises. */
export type Remote<Api> = Comlink.Remote<Api>

/** Answers calls on `port` until it closes. */
export function serve<Api extends object>(api: Api, port: MessagePort): Promise<void> {
  Comlink.expose(api, nodeEndpoint(port))
  return new Promise((resolve) => port.once('close', () => resolve()))
}

/** @param gone rejects when the serving thread has died; it ends every call in flight and every later one */
export function connect<Api extends object>(port: MessagePort, gone: Promise<never>): Remote<Api> {
  const remote = Comlink.wrap<Api>(nodeEndpoint(port))
  // racing each call against `gone` would leave something behind with it for every call ever made
  const inFlight = new Set<(cause: unknown) => void>()
  let death: { readonly cause: unknown } | undefined
  gone.catch((cause: unknown) => {
    death = { cause }
    for (const end of inFlight) end(cause)
    inFlight.clear()
  })
  return new Proxy(remote, {
    get(target, name) {
      if (name === 'then') return undefined
      const method = Reflect.get(target, name) as (...parameters: unknown[]) => Promise<unknown>
      return (...parameters: unknown[]) =>
        new Promise((resolve, reject) => {
          if (death !== undefined) {
            reject(death.cause)
            return
          }
          inFlight.add(reject)
          void method(...parameters)
            .then(resolve, reject)
            .finally(() => inFlight.delete(reject))
        })
    },
  })
}
