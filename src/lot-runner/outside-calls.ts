/**
 * Calls that a runner makes to outside of its thread and waits for: the thread stands still until the answer is there. The
 * other side is src/python/call-service.ts.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import {
  OUTSIDE_WORDS_BYTES,
  type OutsideAnswer,
  type OutsideHello,
  type OutsideRequest,
  OutsideWord,
} from '../contracts/outside-calls.js'
import type { OutsideCall } from '../lot/program.js'

export class OutsideCalls {
  readonly #words: Int32Array
  #lastId = 0

  /**
   * @param port its other end goes to the call service
   * @param waitMsMax longer than the service needs for any call, so that this is the last resort only
   * @param memory shared with whoever watches this thread; `OUTSIDE_WORDS_BYTES` long
   */
  constructor(
    readonly port: MessagePort,
    readonly waitMsMax: number,
    memory: SharedArrayBuffer = new SharedArrayBuffer(OUTSIDE_WORDS_BYTES),
  ) {
    this.#words = new Int32Array(memory)
    port.postMessage({ words: memory } satisfies OutsideHello)
  }

  /** Blocks. @throws Error whose message is for the user */
  call(request: OutsideCall): string {
    const id = ++this.#lastId
    Atomics.store(this.#words, OutsideWord.IN_CALL, 1)
    try {
      this.port.postMessage({ id, request } satisfies OutsideRequest<OutsideCall>)
      const answer = this.#await(id, performance.now() + this.waitMsMax)
      if (answer === undefined) throw new Error(`No answer within ${this.waitMsMax} ms`)
      if (answer.failed) throw new Error(answer.text)
      return answer.text
    } finally {
      Atomics.store(this.#words, OutsideWord.IN_CALL, 0)
    }
  }

  #await(id: number, untilMs: number): OutsideAnswer | undefined {
    for (;;) {
      const seen = Atomics.load(this.#words, OutsideWord.ANSWERS)
      const received = receiveMessageOnPort(this.port) as { message: OutsideAnswer } | undefined
      if (received?.message.id === id) return received.message
      if (received !== undefined) continue // of an earlier call that was given up
      const leftMs = untilMs - performance.now()
      if (leftMs <= 0) return undefined
      Atomics.wait(this.#words, OutsideWord.ANSWERS, seen, leftMs)
    }
  }
}
