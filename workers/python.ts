/** The Python thread: calls of runners on one side, the process that runs Python on the other. */
import { createPortLogger } from '../src/base/log-port.js'
import { serve } from '../src/base/rpc.js'
import { CallService, unanswered } from '../src/python/call-service.js'
import { PrintRate } from '../src/python/print-rate.js'
import type { PythonApi, PythonEvent, PythonTask, ToPythonThread } from '../src/python/python-api.js'
import { Sandbox } from '../src/python/sandbox.js'

export default async function run(task: PythonTask): Promise<void> {
  const { config, events } = task
  const log = createPortLogger(config.log, task.log).area('broker')
  const rate = new PrintRate()
  const sandbox = new Sandbox({
    ...config.python,
    folder: task.folder,
    printed: (script, text) => {
      const dropped = rate.admit(script, performance.now())
      if (dropped !== undefined) events.postMessage({ script, text, dropped } satisfies PythonEvent)
    },
    warn: (message, reason) => log.warn(message, { reason }),
  })
  const service = new CallService((request, settle) => {
    if (request.kind === 'python') sandbox.call(request.target, request.arguments, settle)
    else settle(true, unanswered(request))
  })
  events.on('message', (runner: ToPythonThread) => service.attach(runner))

  const api: PythonApi = {
    add: (name, source, isKept) => sandbox.add(name, source, isKept),
    remove: (name) => sandbox.remove(name),
    install: (made) => sandbox.install(made),
    uninstall: (name) => sandbox.uninstall(name),
    call: (target, parameters) =>
      new Promise((resolve, reject) => {
        sandbox.call(target, parameters, (failed, text) => (failed ? reject(new Error(text)) : resolve(text)))
      }),
    pid: () => sandbox.pid,
  }
  await serve(api, task.control)
  sandbox.stop()
  service.close()
  events.close()
}
