import type { Random } from '../../load/random.js'
import type { BrokerProcess } from '../broker-process.js'
import type { Ledger } from '../ledger.js'
import type { KindName } from '../plan.js'
import type { PowerShim } from '../power-shim.js'
import type { Site } from '../session-client.js'

/** The file of the store in the data folder. */
export const STORE_FILE = 'store/data.mdb'

/** What a fault sees of the run, and may do to it. */
export interface Scene {
  readonly broker: BrokerProcess
  /** Another broker like it, on a data folder of its own. */
  makeBroker(dataFolder: string): BrokerProcess
  readonly ledger: Ledger
  /** For clients of a fault's own. */
  readonly site: Site
  /** Of the run, for files of the faults; removed at the end. */
  readonly folder: string
  readonly shards: number
  /** Undefined when no power cuts are planned. */
  readonly power: PowerShim | undefined
  /** Kills the broker with SIGKILL and tells the clients. */
  kill(): Promise<void>
  /** Ends the broker in order and tells the clients. */
  stop(): Promise<void>
  /** Starts the broker and tells the clients. @throws Error when it does not come up */
  start(): Promise<void>
  /**
   * Sends an order on which the broker is to end and to leave its place to a process that it starts; tells the clients.
   * @returns whether it has ended @throws Error when nobody took its place
   */
  succeed(order: string): Promise<boolean>
  /** While `work` runs, and a little longer, publishes may be refused or stay without answer. */
  excuse(work: () => Promise<void>): Promise<void>
  /** Whether a client that is new gets in and is told a retained value or that there is none. */
  canRead(): Promise<boolean>
  /** To be undone at the end of the run, last first. */
  atEnd(undo: () => Promise<void>): void
  /** For the report: something that is not wrong and worth knowing. */
  note(text: string): void
  /** @param limitMs @returns whether it became true */
  until(condition: () => boolean, limitMs: number): Promise<boolean>
}

export interface FaultKind {
  readonly name: KindName
  /** Once, before the broker is started. @returns why this kind cannot be shown here, if it cannot */
  prepare?(folder: string): Promise<string | undefined>
  /** Strikes, and brings the broker back if that is needed. @throws Error when the broker does not come back */
  strike(scene: Scene, random: Random): Promise<void>
}
