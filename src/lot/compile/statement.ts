/** Statements to closures. */
import { unreachable } from '../../base/errors.js'
import type { Effect } from '../program.js'
import type { Statement } from '../tree.js'
import { equals } from '../values/operators.js'
import { encodeText } from '../values/text-bytes.js'
import { bytesOf, textOf, type Value } from '../values/value.js'
import type { ActionScope } from './action-scope.js'
import {
  compileCallAction,
  compileCallMcp,
  compileCallModel,
  compileCallPython,
  compileTriggerEvent,
  compileTriggerMapping,
} from './call-statements.js'
import { compileTest, type Test } from './operator-expressions.js'
import { compilePublishModel } from './publish-model.js'
import type { Run } from './run.js'
import { compileWriteTopic } from './topic.js'
import { compileMatches } from './transform-expressions.js'

export type Execute = (run: Run) => void
type Node<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>

export function compileBlock(statements: readonly Statement[], scope: ActionScope): Execute {
  const steps = statements.map((statement) => compileStatement(statement, scope))
  if (steps.length === 1) return steps[0]
  return (run) => {
    for (let i = 0; i < steps.length; i++) steps[i](run)
  }
}

function compileStatement(node: Statement, scope: ActionScope): Execute {
  switch (node.kind) {
    case 'set':
      return compileSet(node, scope)
    case 'publish':
      return compilePublish(node, scope)
    case 'keep':
      return compileKeep(node, scope)
    case 'keepEnvironment':
      return compileKeepEnvironment(node, scope)
    case 'deleteEnvironment': {
      const effect: Effect = { kind: 'environment', secret: node.secret, name: node.name.value, value: undefined }
      return (run) => {
        run.effects.push(effect)
      }
    }
    case 'publishModel':
      return compilePublishModel(node, scope)
    case 'if':
      return compileIf(node, scope)
    case 'switch':
      return compileSwitch(node, scope)
    case 'loop':
      return compileLoop(node, scope)
    case 'callAction':
      return compileCallAction(node, scope)
    case 'callPython':
      return compileCallPython(node, scope)
    case 'callMcp':
      return compileCallMcp(node, scope)
    case 'callModel':
      return compileCallModel(node, scope)
    case 'triggerEvent':
      return compileTriggerEvent(node, scope)
    case 'triggerMapping':
      return compileTriggerMapping(node, scope)
    default:
      return unreachable(node)
  }
}

function compileSet(node: Node<'set'>, scope: ActionScope): Execute {
  const { run: value } = scope.expression(node.value)
  const slot = scope.slotOf(node.variable.text)
  const at = node.span.start
  return (run) => {
    run.at = at
    const made = value(run)
    run.slots[slot] = made
    run.result = made
  }
}

function compilePublish(node: Node<'publish'>, scope: ActionScope): Execute {
  const topic = compileWriteTopic(node.topic, scope)
  const at = node.span.start
  const matches = compileMatches(node.value, scope)
  if (matches !== undefined) {
    return (run) => {
      run.at = at
      const name = topic.run(run)
      for (const match of matches(run)) run.effects.push(publication(name, bytesOf(match)))
    }
  }
  const { run: value, constant } = scope.expression(node.value)
  if (constant !== undefined) {
    const payload = bytesOf(constant.value)
    if (topic.constant !== undefined) {
      const effect = publication(topic.constant, payload)
      return (run) => {
        run.effects.push(effect)
      }
    }
    return (run) => {
      run.at = at
      run.effects.push(publication(topic.run(run), payload))
    }
  }
  return (run) => {
    run.at = at
    const made = value(run)
    // AS BYTES of an empty payload is not published.
    if (made instanceof Uint8Array && made.length === 0) return
    const payload = typeof made === 'string' ? encodeText(made) : bytesOf(made)
    run.effects.push(publication(topic.run(run), payload))
  }
}

/** From an action: QoS 0, not retained. */
function publication(topic: string, payload: Uint8Array): Effect {
  return { kind: 'publish', topic, payload, qos: 0, retain: false }
}

function compileKeep(node: Node<'keep'>, scope: ActionScope): Execute {
  const topic = compileWriteTopic(node.topic, scope).run
  const matches = compileMatches(node.value, scope)
  const { run: value } = scope.expression(node.value)
  const at = node.span.start
  return (run) => {
    run.at = at
    const name = topic(run)
    if (matches !== undefined) {
      for (const match of matches(run)) run.effects.push({ kind: 'keep', topic: name, payload: bytesOf(match) })
      return
    }
    const made = value(run)
    if (made instanceof Uint8Array && made.length === 0) return
    const payload = bytesOf(made)
    run.effects.push({ kind: 'keep', topic: name, payload: payload.length === 0 ? undefined : payload })
  }
}

function compileKeepEnvironment(node: Node<'keepEnvironment'>, scope: ActionScope): Execute {
  const { run: value } = scope.expression(node.value)
  const { secret } = node
  const name = node.name.value
  const at = node.span.start
  return (run) => {
    run.at = at
    run.effects.push({ kind: 'environment', secret, name, value: textOf(value(run)) })
  }
}

function compileIf(node: Node<'if'>, scope: ActionScope): Execute {
  const tests: Test[] = []
  const bodies: Execute[] = []
  for (const { condition, body } of node.branches) {
    tests.push(compileTest(condition, scope))
    bodies.push(compileBlock(body, scope))
  }
  const otherwise = node.otherwise === undefined ? undefined : compileBlock(node.otherwise, scope)
  const at = node.span.start
  return (run) => {
    for (let i = 0; i < tests.length; i++) {
      run.at = at
      if (tests[i](run)) return bodies[i](run)
    }
    return otherwise?.(run)
  }
}

/** Cases are looked at in order, and the first that equals is taken; there is no falling through. */
function compileSwitch(node: Node<'switch'>, scope: ActionScope): Execute {
  const subject = scope.expression(node.subject).run
  const tests: ((value: Value, run: Run) => boolean)[] = []
  const bodies: Execute[] = []
  for (const { value, body } of node.cases) {
    const { run: wanted } = scope.expression(value)
    tests.push((subject, run) => equals(subject, wanted(run)))
    bodies.push(compileBlock(body, scope))
  }
  const otherwise = node.otherwise === undefined ? undefined : compileBlock(node.otherwise, scope)
  const at = node.span.start
  return (run) => {
    run.at = at
    const value = subject(run)
    for (let i = 0; i < tests.length; i++) if (tests[i](value, run)) return bodies[i](run)
    return otherwise?.(run)
  }
}

/** The body runs at least once; a loop that does not end is an error. */
function compileLoop(node: Node<'loop'>, scope: ActionScope): Execute {
  const body = compileBlock(node.body, scope)
  const until = compileTest(node.until, scope)
  const at = node.span.start
  return (run) => {
    const { loopIterationsMax } = run.limits
    for (let count = 1; ; count++) {
      body(run)
      run.at = at
      if (until(run)) return
      if (count >= loopIterationsMax) throw new Error(`the loop did not end within ${loopIterationsMax} rounds`)
      run.checkLoopTime()
    }
  }
}
