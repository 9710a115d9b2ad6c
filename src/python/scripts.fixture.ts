/** For tests: Python as the main thread has it, with runners beside it. */
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type MessagePort, Worker } from 'node:worker_threads'
import { createSinkLogger, type LogRecord } from '../base/log.js'
import { BrokerConfig, type BrokerConfigInput } from '../config/schema.js'
import type { OutsideCall } from '../lot/program.js'
import type { PythonEvent } from './python-api.js'
import type { RunnerOrder, RunnerReport } from './runner.fixture.js'
import { PythonScripts } from './scripts.js'

/** Beside the compiled tests: all of them start from one memory snapshot. As XDG_CACHE_HOME it is that of commands too. */
export const CACHE_FOLDER = fileURLToPath(new URL('./.cache', import.meta.url))
export const SNAPSHOT_FOLDER = join(CACHE_FOLDER, 'merlot', 'python')

export interface TestPython {
  readonly scripts: PythonScripts
  readonly printed: PythonEvent[]
  readonly logged: LogRecord[]
  /** @returns what one call of a runner of its own gives */
  runner(): Promise<TestRunner>
  stop(): Promise<void>
}

export interface TestRunner {
  call(call: OutsideCall, times?: number): Promise<RunnerReport>
}

export function startPython(python: BrokerConfigInput['python'] = {}, folder = SNAPSHOT_FOLDER): TestPython {
  const printed: PythonEvent[] = []
  const logged: LogRecord[] = []
  const workers: Worker[] = []
  const scripts = new PythonScripts({
    config: BrokerConfig.parse({ python }),
    folder,
    log: createSinkLogger({ level: 'info', areas: {} }, (record) => logged.push(record)),
    worker: new URL('../../workers/python.js', import.meta.url),
    printed: (event) => printed.push(event),
  })
  return {
    scripts,
    printed,
    logged,
    async runner() {
      const worker = new Worker(new URL('./runner.fixture.js', import.meta.url), { workerData: { waitMsMax: 20_000 } })
      workers.push(worker)
      const [{ callPort }] = (await once(worker, 'message')) as [{ callPort: MessagePort }]
      scripts.attach(callPort)
      return {
        async call(call, times = 1) {
          worker.postMessage({ call, times } satisfies RunnerOrder)
          return ((await once(worker, 'message')) as [RunnerReport])[0]
        },
      }
    },
    async stop() {
      await scripts.stop()
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}
