/** The LoT that a broker runs, as it publishes it below `$SYS/Coreflux`. */
import type { CommandContext, OptionValues } from './command.js'
import { CommandError } from './exit.js'
import { Definitions } from './lot-definitions.js'
import type { LotText, PythonText } from './lot-files.js'
import { compatOf } from './lot-options.js'
import { LotTexts } from './lot-texts.js'
import { ownerSettings } from './owner-access.js'

const SCRIPTS = '$SYS/Coreflux/Python/Scripts'
const SNAPSHOTS = ['$SYS/Coreflux/Actions/+', '$SYS/Coreflux/Models/+', SCRIPTS]
/** Retained messages follow the subscription at once: so long without one, and there are no more. */
const QUIET_MS = 500
const WAIT_MS_MAX = 10_000
/**
 * The deployed versions of entities with the same names, and the models and actions that those may use.
 * @throws CommandError when the broker cannot be reached, or has none of them
 */
export async function deployedDefinitions(
  next: Definitions,
  values: OptionValues,
  context: CommandContext,
): Promise<Definitions> {
  const texts: LotText[] = []
  let scripts: readonly PythonText[] = []
  let lastMs = performance.now()
  const { connectToBroker } = await import('./client.js')
  const connection = await connectToBroker(ownerSettings(values, context), context, (message, settle) => {
    lastMs = performance.now()
    const text = message.payload.toString()
    if (message.retain && message.topic === SCRIPTS) scripts = readScripts(text)
    else if (message.retain) texts.push({ file: message.topic, cell: undefined, text })
    settle(true)
  })
  try {
    await connection.subscribe(SNAPSHOTS, {
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      subscriptionIdentifier: undefined,
      userProperties: undefined,
    })
    const end = performance.now() + WAIT_MS_MAX
    while (performance.now() < Math.min(end, lastMs + QUIET_MS)) {
      const lost = await Promise.race([connection.lost, pause(QUIET_MS / 5)])
      if (lost !== undefined) throw lost
    }
  } finally {
    await connection.close()
  }
  const deployed = new Definitions(new LotTexts({ texts, scripts, problems: [] }, compatOf(values)), scripts)
  const common = deployed.sharedWith(next)
  if (common.isEmpty) {
    throw new CommandError('the broker has none of these actions and models', 'compare with a file by --against')
  }
  return common
}

function readScripts(json: string): PythonText[] {
  const scripts = JSON.parse(json) as readonly { readonly ScriptName: string; readonly Code: string }[]
  return scripts.map(({ ScriptName: name, Code: text }) => ({ name, text }))
}

function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms))
}
