/** For tests: the process that runs Python, without threads around it. */
import { type Loading, Sandbox, type SandboxOptions } from './sandbox.js'
import { SNAPSHOT_FOLDER } from './scripts.fixture.js'

export interface TestSandbox {
  readonly sandbox: Sandbox
  readonly warnings: string[]
  /** `[script, text]` */
  readonly printed: [string, string][]
  add(name: string, source: string): Promise<Loading>
  /** @returns the result @throws Error */
  call(target: string, ...parameters: readonly unknown[]): Promise<string>
}

export function startSandbox(options: Partial<SandboxOptions> = {}): TestSandbox {
  const warnings: string[] = []
  const printed: [string, string][] = []
  const sandbox = new Sandbox({
    folder: SNAPSHOT_FOLDER,
    memoryBytesMax: 512 * 1024 * 1024,
    callMsMax: 10_000,
    extraModules: [],
    printed: (script, text) => printed.push([script, text]),
    warn: (message, reason) => warnings.push(`${message}: ${reason}`),
    ...options,
  })
  return {
    sandbox,
    warnings,
    printed,
    add: (name, source) => sandbox.add(name, source),
    call: (target, ...parameters) =>
      new Promise((resolve, reject) => {
        sandbox.call(target, JSON.stringify(parameters), (failed, text) => {
          if (failed) reject(new Error(text))
          else resolve(text)
        })
      }),
  }
}
