/**
 * Python for simulations: the broker's own, in a process and a thread of their own. A simulation does not wait for
 * promises, so the thread that calls stands still until the answer is there.
 */
import { setImmediate } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { entryFile } from '../base/entry-file.js'
import type { Logger } from '../base/log.js'
import { BrokerConfig } from '../config/schema.js'
import type { OutsideCall } from '../lot/program.js'
import { OutsideCalls } from '../lot-runner/outside-calls.js'
import { PythonScripts } from '../python/scripts.js'
import { readWheel } from '../python/wheel.js'
import { normalisedName } from '../python/wheel-name.js'
import { newestWheels } from '../python/wheels-folder.js'

export interface SimulatedScript {
  /** For a text without header. */
  readonly name: string
  readonly text: string
}

export interface SimulatedPythonOptions {
  readonly scripts: readonly SimulatedScript[]
  /** As `python.extraModules`. */
  readonly extraModules: readonly string[]
  /** Of packages that scripts may import; undefined for none. */
  readonly wheelsFolder: string | undefined
  /** For the memory snapshot, from which later starts are quick. */
  readonly folder: string
  readonly log: Logger
  /** What a script printed during one call. */
  readonly printed: (script: string, text: string) => void
}

/** Beyond the limit of a call, which Python keeps itself. */
const MARGIN_MS = 5_000

export class SimulatedPython {
  readonly #python: PythonScripts
  readonly #channel = new MessageChannel()
  readonly #calls: OutsideCalls

  private constructor(readonly options: SimulatedPythonOptions) {
    const { extraModules, folder, log, printed } = options
    const config = BrokerConfig.parse({ python: { extraModules } })
    const worker = entryFile('python')
    this.#python = new PythonScripts({
      config,
      folder,
      log,
      worker,
      printed: (event) => printed(event.script, event.text),
    })
    this.#calls = new OutsideCalls(this.#channel.port1, config.python.callMsMax + MARGIN_MS)
  }

  /** @throws Error that tells which script is refused, and where; BrokerError PACKAGE_REFUSED for a wheel */
  static async start(options: SimulatedPythonOptions): Promise<SimulatedPython> {
    const python = new SimulatedPython(options)
    try {
      await python.#takeWheels()
      await python.begin()
    } catch (error) {
      await python.stop()
      throw error
    }
    python.#python.attach(python.#channel.port2)
    return python
  }

  async #takeWheels(): Promise<void> {
    const { wheelsFolder } = this.options
    if (wheelsFolder === undefined) return
    for (const { file, bytes } of await newestWheels(wheelsFolder)) {
      const { name, files } = await readWheel(bytes, file)
      this.#python.keepPackage({ name: normalisedName(name), files })
    }
  }

  /** Loads the scripts (again): what they keep in their variables begins afresh. @throws Error as `start` does */
  async begin(): Promise<void> {
    for (const { name, text } of this.options.scripts) {
      const added = await this.#python.add(text, name)
      if (added.kind === 'added') continue
      const place = added.line > 0 ? `, line ${added.line}` : ''
      throw new Error(`Python script ${name}${place}: ${added.message}`)
    }
  }

  /** Blocks. @throws Error whose message is for the user */
  call(request: OutsideCall): string {
    return this.#calls.call(request)
  }

  /** Ends the process and the thread, after what was printed has been told. */
  async stop(): Promise<void> {
    // messages that came while this thread stood still are taken in the next turn; the first of these ends this one
    await setImmediate()
    await setImmediate()
    this.#channel.port1.close()
    await this.#python.stop()
  }
}
