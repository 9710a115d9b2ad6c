import { Worker } from 'node:worker_threads'
import t from 'tap'
import { hasLowPriority, lowerPriority, ownThreadNumber } from './thread-priority.js'

const isLinux = process.platform === 'linux'

t.test('one thread alone', { skip: isLinux ? false : 'Linux alone has priorities of threads' }, async (t) => {
  const own = ownThreadNumber()
  t.equal(own, process.pid, 'the first thread has the number of the process')
  const script = `
    import { parentPort } from 'node:worker_threads'
    import { hasLowPriority, ownThreadNumber } from ${JSON.stringify(new URL('./thread-priority.js', import.meta.url).href)}
    parentPort.on('message', () => parentPort.postMessage([ownThreadNumber(), hasLowPriority(ownThreadNumber())]))
  `
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`))
  const ask = (): Promise<[number, boolean]> => {
    worker.postMessage('?')
    return new Promise((resolve) => worker.once('message', resolve))
  }
  const [number, isLow] = await ask()
  t.ok(number > 0 && number !== own)
  t.notOk(isLow)
  lowerPriority(number)
  t.same(await ask(), [number, true])
  t.ok(hasLowPriority(number), 'as other threads see it')
  t.notOk(hasLowPriority(own), 'others keep theirs')
  await worker.terminate()
})

t.test('threads that are not there, or not known', async (t) => {
  lowerPriority(0)
  t.notOk(hasLowPriority(0))
  lowerPriority(0x7fff_fff0)
  t.notOk(hasLowPriority(0x7fff_fff0))
})
