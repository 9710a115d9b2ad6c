/** `merlot start`: runs the broker until a signal ends it. */
import { BrokerError } from '../base/errors.js'
import type { Logger } from '../base/log.js'
import { createLogger } from '../base/log-output.js'
import { checkConfig } from '../config/check.js'
import type { Finding } from '../config/finding.js'
import type { LoadedConfig } from '../config/load.js'
import type { RunningBroker } from '../main.js'
import { bannerLines, noticeLines } from './banner.js'
import type { CommandDefinition } from './command.js'
import { CONFIG_OPTIONS, configReader, loadFromOptions } from './config-options.js'
import { CommandError, ExitCode } from './exit.js'
import { ReloadSignal } from './reload.js'
import { type StopSignal, StopSignals } from './stop-signals.js'
import { awaitPredecessor, endByForce, planSuccession, type Succession } from './successor.js'

/** Of what is only waited for to fail. */
const NEVER = new Promise<never>(() => {})

export const startCommand: CommandDefinition = {
  name: 'start',
  summary:
    'Start the broker; SIGINT (Ctrl+C) or SIGTERM stops it, a second one stops it at once; SIGHUP reads the configuration again',
  options: CONFIG_OPTIONS,
  examples: [
    'merlot start',
    'merlot start --host 0.0.0.0 --port 1884',
    'merlot start --config merlot.yaml --data /var/lib/merlot',
    'merlot start --project ./plant',
    'merlot start --port 0 --ws-port 0 --set session.queuedMessagesMax=1000',
  ],
  async run(values, context) {
    const loaded = loadFromOptions(values, context)
    const log = createLogger(loaded.config.log)
    reportFindings(loaded, checkConfig(loaded.config, Date.now()), log)
    const signals = new StopSignals(process)
    let broker: RunningBroker | undefined
    // a broker that is still starting has just read it
    const reloads = new ReloadSignal(
      process,
      { reload: async () => broker?.reload(), stop: () => signals.take('SIGHUP') },
      log,
    )
    try {
      await awaitPredecessor(context.environment, log)
      const { startBroker } = await import('../main.js')
      const starting = startBroker(loaded.config, {
        log,
        environment: context.environment,
        readConfig: configReader(values, context),
        stopping: signals.first,
        tellOwner: (notice) => context.stdout.write(`${noticeLines(notice, context.environment).join('\n')}\n`),
      })
      broker = await startedBefore(signals.second, starting, log)
      if (broker === undefined) return ExitCode.failed
      context.stdout.write(`${bannerLines(loaded, broker.listeners, context.environment).join('\n')}\n`)
      return await runUntilStopped(broker, signals, log)
    } catch (error) {
      if (!(error instanceof BrokerError && error.code === 'STORE_HELD')) throw error
      const succession: Succession = signals.isStopping
        ? { kind: 'none', reason: 'it was told to stop' }
        : planSuccession(context.environment, process.pid, Date.now())
      return await endByForce(error, succession, log)
    } finally {
      reloads.close()
      signals.close()
    }
  },
}

/** @throws CommandError for the first error: the broker would fail on it later, with less to say */
function reportFindings(loaded: LoadedConfig, findings: readonly Finding[], log: Logger): void {
  const error = findings.find(({ severity }) => severity === 'error')
  if (error !== undefined) throw new CommandError(error.message, error.remedy, ExitCode.wrongUsage)
  const configLog = log.area('config')
  for (const warning of loaded.warnings) configLog.warn(warning)
  for (const { message, remedy } of findings) configLog.warn(message, { remedy })
}

/**
 * A broker that is told to stop while it starts has begun to write: it is started to its end, and then stopped in order.
 * @returns undefined where the second signal comes before
 */
export async function startedBefore<Broker>(
  second: Promise<StopSignal>,
  starting: Promise<Broker>,
  log: Logger,
): Promise<Broker | undefined> {
  const outcome = await Promise.race([starting.then((broker) => ({ broker })), second])
  if (typeof outcome === 'object') return outcome.broker
  log.warn('stopping at once, in the middle of the start', { signal: outcome })
  return undefined
}

/**
 * Waits for the first signal, then for the end of `stop()` or the second signal.
 * @throws BrokerError when the broker can not go on; STORE_HELD as soon as it can not end either
 */
export async function runUntilStopped(
  broker: Pick<RunningBroker, 'failed' | 'stop' | 'stopNow'>,
  signals: Pick<StopSignals, 'first' | 'second'>,
  log: Logger,
): Promise<ExitCode> {
  const end = await Promise.race([signals.first, broker.failed])
  if (end instanceof BrokerError) {
    if (end.code !== 'STORE_HELD') await broker.stopNow()
    throw end
  }
  const held = broker.failed.then((error) => {
    if (error.code === 'STORE_HELD') throw error
    return NEVER
  })
  held.catch(() => {}) // whoever waits for it below sees the failure
  log.info('stopping', { signal: end })
  const stopped = broker.stop().then(() => 'stopped' as const)
  const how = await Promise.race([held, stopped, signals.second])
  if (how === 'stopped') {
    log.info('stopped')
    return ExitCode.ok
  }
  stopped.catch(() => {}) // stopping in order no longer matters, and may fail for that reason
  log.warn('stopping at once', { signal: how })
  await Promise.race([held, broker.stopNow()])
  return ExitCode.failed
}
