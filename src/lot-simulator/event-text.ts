/** What a simulation brought about, for people and for programs. */
import { unreachable } from '../base/errors.js'
import type { Effect } from '../lot/program.js'
import { payloadText } from '../lot-runner/reports.js'
import type { SimulatedEvent } from './simulator.js'

/** `boiler/alarm "hot" (retained, QoS 1)`, `boiler/state {"on":true}` */
export function messageText({ topic, payload, qos, retain }: Extract<Effect, { kind: 'publish' }>): string {
  const flags = [retain ? 'retained' : '', qos > 0 ? `QoS ${qos}` : ''].filter((flag) => flag !== '').join(', ')
  return `${topic} ${shown(payload)}${flags === '' ? '' : ` (${flags})`}`
}

/** Objects and arrays as they are, on one line; anything else in quotes. */
function shown(payload: Uint8Array): string {
  const text = payloadText(payload)
  return /^[{[][^\u0000-\u001f\u007f]*[}\]]$/.test(text) ? text : JSON.stringify(text)
}

/** One line, such as `action Alarm publishes boiler/alarm "hot"`. */
export function eventText(event: SimulatedEvent): string {
  const who = `${event.entity.kind} ${event.entity.name}`
  if (event.kind === 'effect') return `${who} ${effectText(event.effect)}`
  return event.kind === 'warning' ? `${who}: warning: ${event.message}` : `${who} failed: ${event.message}`
}

function effectText(effect: Effect): string {
  switch (effect.kind) {
    case 'publish':
      return `publishes ${messageText(effect)}`
    case 'keep':
      if (effect.payload === undefined) return `forgets ${effect.topic}`
      return `keeps ${effect.topic} ${shown(effect.payload)}`
    case 'environment': {
      const what = effect.secret ? 'the secret' : 'the environment variable'
      if (effect.value === undefined) return `deletes ${what} ${effect.name}`
      return effect.secret
        ? `sets ${what} ${effect.name}`
        : `sets ${what} ${effect.name} to ${JSON.stringify(effect.value)}`
    }
    case 'store':
      return `stores in ${effect.table} of route ${effect.route}: ${effect.record}`
    case 'routeEvent':
      return `triggers ${effect.target} of route ${effect.route} with ${shown(effect.payload)}`
    default:
      return unreachable(effect)
  }
}

/** Payloads are text, or base64 after `base64:` where they are not UTF-8. */
export function eventToJson(event: SimulatedEvent): Record<string, unknown> {
  const { entity, atMs } = event
  const from = { entity: entity.name, entityKind: entity.kind, at: new Date(atMs).toISOString() }
  if (event.kind === 'warning') return { ...from, kind: 'warning', message: event.message }
  if (event.kind === 'failure') {
    return { ...from, kind: 'failure', message: event.message, line: event.line, statement: event.statement }
  }
  const { effect } = event
  const payload = 'payload' in effect && effect.payload !== undefined ? payloadText(effect.payload) : undefined
  const hidden = effect.kind === 'environment' && effect.secret ? { value: undefined } : {}
  return { ...from, ...effect, ...hidden, ...(payload === undefined ? {} : { payload }) }
}
