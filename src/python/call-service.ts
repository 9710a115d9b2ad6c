/** Answers the calls of runners (src/lot-runner/outside-calls.ts), each on the port of its runner. */
import type { MessagePort } from 'node:worker_threads'
import { type OutsideAnswer, type OutsideHello, type OutsideRequest, OutsideWord } from '../contracts/outside-calls.js'
import type { OutsideCall } from '../lot/program.js'
import type { Settle } from './sandbox.js'

/** What does the work; settles each call once, at any time. */
export type CallHandler = (request: OutsideCall, settle: Settle) => void

/** One runner's port, as it moves from thread to thread. */
export interface RunnerPort {
  readonly port: MessagePort
  /** undefined if the runner has not said it yet. */
  readonly words: SharedArrayBuffer | undefined
}

export class CallService {
  readonly #words = new Map<MessagePort, SharedArrayBuffer | undefined>()

  constructor(readonly handle: CallHandler) {}

  /** Takes over one runner's port until it closes. */
  attach({ port, words }: RunnerPort): void {
    this.#words.set(port, words)
    port.on('message', (message: OutsideHello | OutsideRequest<OutsideCall>) => {
      if ('words' in message) this.#words.set(port, message.words)
      else this.#serve(port, message)
    })
    port.on('close', () => this.#words.delete(port))
  }

  /** Lets go of all ports: for another thread, which takes them in the same turn. */
  detachAll(): readonly RunnerPort[] {
    const ports = [...this.#words].map(([port, words]) => ({ port, words }))
    for (const { port } of ports) port.removeAllListeners()
    this.#words.clear()
    return ports
  }

  close(): void {
    for (const port of this.#words.keys()) port.close()
    this.#words.clear()
  }

  #serve(port: MessagePort, { id, request }: OutsideRequest<OutsideCall>): void {
    this.handle(request, (failed, text) => {
      port.postMessage({ id, failed, text } satisfies OutsideAnswer)
      const memory = this.#words.get(port)
      if (memory === undefined) return // it has closed since
      const words = new Int32Array(memory)
      Atomics.add(words, OutsideWord.ANSWERS, 1)
      Atomics.notify(words, OutsideWord.ANSWERS)
    })
  }
}

/** What is told where nothing answers that kind of call. */
export function unanswered(request: OutsideCall): string {
  switch (request.kind) {
    case 'python':
      return `Python script '${firstName(request.target)}' is not deployed`
    case 'mcp':
      return `Route '${firstName(request.target)}' is not running`
    default:
      return `Route '${request.route}' is not running`
  }
}

/** `Script` of `Script.function`, and likewise `Route` of `Route.tool`. */
function firstName(target: string): string {
  return target.split('.', 1)[0]
}
