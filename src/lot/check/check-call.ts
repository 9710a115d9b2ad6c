/** CALL and TRIGGER: what is called, and whether it takes and returns what the call says. */
import { nearestSpelling } from '../../base/spelling.js'
import type { Report } from '../syntax/report.js'
import type { Argument, RouteMember, Statement, TextNode } from '../tree.js'
import type { CheckWorld } from './world.js'

type Node<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>

export function checkCallAction(
  { action, arguments: given, results, span }: Node<'callAction'>,
  world: CheckWorld,
  report: Report,
  caller: string | undefined,
): void {
  checkTwice(given, report)
  if (action.text === caller) report.add('LOT4008', `The action ${action.text} calls itself`, action.span)
  const callee = world.action?.(action.text)
  if (callee === undefined) return
  const inputs = callee.inputs.map(({ name }) => name.text)
  for (const { name } of given) {
    if (inputs.includes(name.text)) continue
    const known = inputs.length === 0 ? 'it has none' : `it has ${inputs.join(', ')}`
    const message = `Action ${action.text} has no INPUT ${name.text}: ${known}`
    report.add('LOT3006', message, name.span, nearestSpelling(name.text, inputs))
  }
  const missing = inputs.filter((input) => !given.some(({ name }) => name.text === input))
  // a misspelled name is one that is missing, too
  if (missing.length > 0 && given.every(({ name }) => inputs.includes(name.text))) {
    report.add('LOT4014', `Action ${action.text} is called without ${missing.join(', ')}`, action.span)
  }
  const { length } = callee.outputs
  if (results.length === 0 || results.length === length) return
  const values = length === 1 ? '1 value' : `${length} values`
  report.add('LOT3005', `Action ${action.text} returns ${values}, ${results.length} expected`, results[0]?.span ?? span)
}

/** `"Script.function"` */
export function checkCallPython({ target }: Node<'callPython'>, world: CheckWorld, report: Report): void {
  const [script, name, ...more] = target.value.split('.')
  if (!script || !name || more.length > 0) {
    report.add('LOT3007', `CALL PYTHON takes "Script.function", not "${target.value}"`, target.span)
    return
  }
  const functions = world.python?.(script)
  if (functions === undefined || functions.includes(name)) return
  const nearest = nearestSpelling(name, functions)
  const suggestion = nearest && `"${script}.${nearest}"`
  report.add('LOT3008', `The script ${script} has no function ${name}`, target.span, suggestion)
}

/** `"Route.tool"` */
export function checkCallMcp({ target, arguments: given }: Node<'callMcp'>, report: Report): void {
  checkTwice(given, report)
  if (/^[^.]+\..+$/.test(target.value)) return
  report.add('LOT3009', `CALL MCP takes "Route.tool", not "${target.value}"`, target.span)
}

export function checkTriggerEvent({ event, route }: Node<'triggerEvent'>, world: CheckWorld, report: Report): void {
  checkMember(event, event.value, route.text, 'event', world, report)
}

export function checkTriggerMapping(node: Node<'triggerMapping'>, world: CheckWorld, report: Report): void {
  checkMember(node.mapping, node.mapping.text, node.route.value, 'mapping', world, report)
}

function checkMember(
  { span }: Pick<TextNode, 'span'>,
  name: string,
  route: string,
  kind: 'event' | 'mapping',
  world: CheckWorld,
  report: Report,
): void {
  const members: readonly RouteMember[] | undefined = world.route?.(route)?.members
  if (members === undefined) return
  const names = members.flatMap((member) => (member.kind === kind ? [member.name.text] : []))
  if (names.includes(name)) return
  const nearest = nearestSpelling(name, names)
  const replacement = nearest && (kind === 'event' ? `"${nearest}"` : nearest)
  report.add('LOT3020', `The route ${route} has no ${kind} ${name}`, span, replacement)
}

function checkTwice(given: readonly Argument[], report: Report): void {
  const seen = new Set<string>()
  for (const { name } of given) {
    if (seen.has(name.text)) report.add('LOT4010', `${name.text} is given twice: the last one counts`, name.span)
    seen.add(name.text)
  }
}
