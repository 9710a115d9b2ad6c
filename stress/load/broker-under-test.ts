import type { BrokerOptions } from './common-options.js'
import { startOwnBroker } from './own-broker.js'
import { parseTarget, type Target } from './target.js'

/** The broker that a run measures: the one the user named, or one that lives as long as the run. */
export interface BrokerUnderTest {
  readonly target: Target
  /** undefined where its process is not known, so that CPU and memory are left out. */
  readonly pid: number | undefined
  /** @returns what went wrong with the end of a broker of ours, if anything did */
  stop(): Promise<string | undefined>
}

/** @throws Error when our own broker does not come up */
export async function brokerUnderTest(options: BrokerOptions): Promise<BrokerUnderTest> {
  if (options.target !== undefined) {
    return { target: options.target, pid: options.pid, stop: () => Promise.resolve(undefined) }
  }
  const own = await startOwnBroker(options.brokerSettings)
  const stop = async (): Promise<string | undefined> => {
    const ending = await own.stop()
    return ending === 'status 0' ? undefined : `our broker ended with ${ending}`
  }
  return { target: parseTarget(own.url), pid: own.pid, stop }
}
