import type { FaultKind } from './kind.js'

/** SIGKILL: the process is gone between two instructions. */
export const processKill: FaultKind = {
  name: 'process',
  async strike(scene) {
    await scene.kill()
    await scene.start()
  },
}
