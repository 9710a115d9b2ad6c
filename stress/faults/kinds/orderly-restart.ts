import type { FaultKind } from './kind.js'

/** SIGTERM, as a service manager sends it, and a new start. */
export const orderlyRestart: FaultKind = {
  name: 'restart',
  async strike(scene) {
    await scene.stop()
    await scene.start()
  },
}
