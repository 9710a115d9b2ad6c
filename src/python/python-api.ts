/** Between the main thread and the Python thread. */
import type { MessagePort } from 'node:worker_threads'
import type { BrokerConfig } from '../config/schema.js'
import type { RunnerPort } from './call-service.js'
import type { PackageChange, PythonPackage } from './python-package.js'
import type { Loading } from './sandbox.js'

export interface PythonTask {
  readonly config: BrokerConfig
  /** For the memory snapshot. */
  readonly folder: string
  readonly control: MessagePort
  /** Carries `LogRecord`s to the main thread. */
  readonly log: MessagePort
  /** Carries `PythonEvent`s to the main thread, and `RunnerPort`s from there. */
  readonly events: MessagePort
}

/** Calls that the Python thread answers. */
export interface PythonApi {
  /** Loads a script in place of the one with that name; if it is refused, that one stays, unless `isKept`. */
  add(name: string, source: string, isKept: boolean): Promise<Loading>
  remove(name: string): void
  /** Scripts that use the package are loaded again. */
  install(made: PythonPackage): Promise<PackageChange>
  uninstall(name: string): Promise<PackageChange>
  /** @param target `Script.function` @param parameters JSON array @throws Error whose message is for the user */
  call(target: string, parameters: string): Promise<string>
  /** Of the process that runs Python; undefined while there is none. */
  pid(): number | undefined
}

/** What a script printed during one call; `dropped` calls before it could not be told because there were too many. */
export interface PythonEvent {
  readonly script: string
  readonly text: string
  readonly dropped: number
}

export type ToPythonThread = RunnerPort
