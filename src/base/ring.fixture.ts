/** Records that can be checked: each has a number, and bytes that follow from it. Run as a worker, it writes them. */
import { isMainThread, workerData } from 'node:worker_threads'
import { RingProducer } from './ring.js'

/** Length, number, and length as it was asked for. */
export const RECORD_BYTES_MIN = 12

export function fill(bytes: Uint8Array, ints: Int32Array, at: number, number: number, length: number): void {
  ints[(at >> 2) + 1] = number
  ints[(at >> 2) + 2] = length
  for (let i = RECORD_BYTES_MIN; i < length; i++) bytes[at + i] = number + i
}

export function writeRecord(producer: RingProducer, number: number, length: number): void {
  const at = producer.begin(length)
  fill(producer.bytes, producer.ints, at, number, length)
  producer.end(at, length)
}

/** @returns the number of the record. @throws Error when its bytes are not those that were written */
export function readRecord(bytes: Uint8Array, ints: Int32Array, at: number): number {
  const number = ints[(at >> 2) + 1]
  const length = ints[(at >> 2) + 2]
  if (at % 8 !== 0) throw new Error(`record ${number} is at ${at}`)
  for (let i = RECORD_BYTES_MIN; i < length; i++) {
    if (bytes[at + i] !== ((number + i) & 0xff)) throw new Error(`byte ${i} of record ${number} is wrong`)
  }
  return number
}

interface WriterTask {
  readonly memory: SharedArrayBuffer
  readonly count: number
  readonly lengthMax: number
}

async function write({ memory, count, lengthMax }: WriterTask): Promise<void> {
  const producer = new RingProducer(memory)
  for (let number = 0; number < count; ) {
    // one piece of work at a time, as the owners of rings do
    for (let i = 0; i < 16 && number < count; i++, number++) {
      writeRecord(producer, number, RECORD_BYTES_MIN + ((number * 7_919) % (lengthMax - RECORD_BYTES_MIN)))
    }
    producer.publish()
    while (producer.isCongested) {
      await new Promise(setImmediate)
      producer.publish()
    }
  }
}

if (!isMainThread && workerData?.memory !== undefined) await write(workerData as WriterTask)
