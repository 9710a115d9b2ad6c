import type { FaultKind, Scene } from './kind.js'

const TRIES = 3
const BACK_MS = 30_000

/**
 * The storage thread dies within a transaction: the broker must end and leave its place to a process that it starts.
 * That one is replaced in order afterwards, because it starts none itself within a minute.
 */
export const successor: FaultKind = {
  name: 'successor',
  async strike(scene) {
    const { broker, ledger, note, until } = scene
    const before = broker.pid
    for (let attempt = 1; !(await strikeOnce(scene)); attempt++) {
      if (broker.wasAborted) {
        note('successor: the process was aborted instead')
        await scene.start()
      } else {
        note('successor: the storage thread died between two transactions')
        if (!broker.isRunning) throw new Error(`the broker did not survive\n${broker.output}`)
      }
      if (attempt < TRIES) continue
      ledger.violations.add('fault', `successor: the broker did not end in ${TRIES} attempts\n${broker.output}`)
      return
    }
    if (broker.pid === before) ledger.violations.add('fault', 'successor: it is the same process')
    const acknowledged = (): number => ledger.counts().acknowledged
    const atFirst = acknowledged()
    if (!(await until(() => acknowledged() > atFirst, BACK_MS))) {
      ledger.violations.add('fault', `successor: nothing acknowledged within ${BACK_MS} ms\n${broker.output}`)
    }
    await scene.stop()
    await scene.start()
  },
}

async function strikeOnce(scene: Scene): Promise<boolean> {
  let hasEnded = false
  await scene.excuse(async () => {
    hasEnded = await scene.succeed('strike storage 0')
  })
  return hasEnded
}
