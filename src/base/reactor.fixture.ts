/** A thread on rings that answers each record with the same number. Run as a worker, it echoes until it is told to end. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { Doorbell } from './doorbell.js'
import { Reactor } from './reactor.js'
import { readRecord, writeRecord } from './ring.fixture.js'
import { RingConsumer, RingProducer } from './ring.js'

/** One end of a pair of rings. */
export interface EndMemory {
  readonly incoming: SharedArrayBuffer
  readonly outgoing: SharedArrayBuffer
  readonly doorbell: SharedArrayBuffer
  readonly otherDoorbell: SharedArrayBuffer
}

/** @param received gets each number; what it answers is sent back */
export function createEnd(memory: EndMemory, received: (number: number) => number | undefined): Reactor {
  const consumer = new RingConsumer(memory.incoming)
  const producer = new RingProducer(memory.outgoing)
  const bell = new Doorbell(memory.otherDoorbell)
  const work = (): number =>
    consumer.drain((bytes, ints, at) => {
      const answer = received(readRecord(bytes, ints, at))
      if (answer !== undefined) writeRecord(producer, answer, 24)
    }, 65_536)
  const flush = (): boolean => {
    if (producer.publish()) bell.ring()
    return producer.isCongested
  }
  return new Reactor(memory.doorbell, work, flush, () => !consumer.isEmpty)
}

if (!isMainThread && workerData?.otherDoorbell !== undefined) {
  const reactor = createEnd(workerData as EndMemory, (number) => number)
  reactor.start()
  parentPort?.once('message', () => {
    reactor.stop()
    parentPort?.close()
  })
  parentPort?.postMessage('started')
}
