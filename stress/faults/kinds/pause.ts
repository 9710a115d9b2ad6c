import type { FaultKind } from './kind.js'

const PAUSE_MS_MIN = 200
const PAUSE_MS_MAX = 2_000

/** The whole process stands still for a while, as on a machine that is starved or suspended. Nothing may be lost. */
export const pause: FaultKind = {
  name: 'pause',
  async strike({ broker, excuse }, random) {
    const pauseMs = PAUSE_MS_MIN + random.integer(PAUSE_MS_MAX - PAUSE_MS_MIN + 1)
    await excuse(async () => {
      broker.signal('SIGSTOP')
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      broker.signal('SIGCONT')
    })
  },
}
