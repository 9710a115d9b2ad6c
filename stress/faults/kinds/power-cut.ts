import { join } from 'node:path'
import { messageOf } from '../../../src/base/errors.js'
import { cutPower } from '../power-shim.js'
import { type FaultKind, STORE_FILE } from './kind.js'

/**
 * The process is killed and the store loses what nobody had synced: all of it, or a random half of the blocks, since a
 * disk writes in any order.
 */
export const powerCut: FaultKind = {
  name: 'power',
  async strike(scene, random) {
    await scene.kill()
    const keepsHalf = random.next() < 0.5
    const { shadowFolder } = scene.power ?? { shadowFolder: '' }
    try {
      const file = join(scene.broker.dataFolder, STORE_FILE)
      const { unsynced, survived } = await cutPower(file, shadowFolder, keepsHalf ? random : undefined)
      scene.note(`power cut: ${unsynced} blocks not synced, ${survived} of them survived`)
    } catch (error) {
      scene.ledger.violations.add('fault', `power cut: ${messageOf(error)}`)
    }
    await scene.start()
  },
}
