/** Actions as lines. */
import { unreachable } from '../../base/errors.js'
import type { ActionNode, TimeUnit, Trigger } from '../tree.js'
import { nameText } from './pieces.js'
import type { Sheet } from './sheet.js'
import { writeBody, writeKeyword } from './write-statement.js'

export function writeAction(sheet: Sheet, action: ActionNode): void {
  const { name, trigger, inputs, body, outputs, description, span } = action
  sheet.add(0, [`DEFINE ACTION ${nameText(name)}`], { start: span.start, end: name.span.end }, 'define')
  for (const input of inputs) sheet.add(0, [`INPUT ${nameText(input.name)} AS ${input.type}`], input.name.span, 'part')
  const bodyStart = body[0]?.span.start ?? span.end
  if (trigger === undefined) {
    const headerEnd = inputs.at(-1)?.name.span.end ?? name.span.end
    writeKeyword(sheet, 'DO', headerEnd, bodyStart, 0)
  } else sheet.add(0, [`ON ${triggerText(trigger)} DO`], trigger.span, 'part')
  writeBody(sheet, body, 1)
  if (outputs.length > 0) {
    writeKeyword(sheet, 'RETURN', body.at(-1)?.span.end ?? bodyStart, outputs[0].span.start, 0)
    for (const output of outputs) sheet.add(1, [`OUTPUT ${nameText(output)}`], output.span, 'part')
  }
  if (description !== undefined) sheet.add(0, [`DESCRIPTION ${description.written}`], description.span, 'part')
}

function triggerText(trigger: Trigger): string {
  switch (trigger.kind) {
    case 'every':
      return `EVERY ${intervalText(trigger)}`
    case 'days':
      return `EVERY ${trigger.days} AT ${trigger.time.written}`
    case 'timestamp':
      return `TIMESTAMP ${trigger.time.written}`
    case 'topic':
      return `TOPIC ${trigger.filter.written}`
    case 'change':
      return `CHANGE ${trigger.filter.written}`
    case 'start':
      return 'START'
    case 'connect':
      return 'CONNECT'
    case 'disconnect':
      return 'DISCONNECT'
    case 'subscribe':
      return trigger.filter === undefined ? 'SUBSCRIBE' : `SUBSCRIBE ${trigger.filter.written}`
    default:
      return unreachable(trigger)
  }
}

/** `1 SECOND`, `5 SECONDS` */
export function intervalText({ count, unit }: { readonly count: number; readonly unit: TimeUnit }): string {
  return `${count} ${unit}${count === 1 ? '' : 'S'}`
}
