/** Programs from text, and a world that a test fills by hand. */
import { unreachable } from '../../base/errors.js'
import type { CompiledAction, CompiledModel, Effect, Limits, Occasion, OutsideCall, World } from '../program.js'
import { Source } from '../source.js'
import { parseProgram } from '../syntax/parse.js'
import type { ActionNode, ModelNode } from '../tree.js'
import { compileAction } from './action.js'
import { compileModel } from './model.js'

export const LIMITS: Limits = { loopIterationsMax: 1_000, callDepthMax: 32, loopMsMax: 5_000 }

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function text(payload: Uint8Array | undefined): string | undefined {
  return payload === undefined ? undefined : new TextDecoder().decode(payload)
}

/** 2026-03-05T07:08:09.123Z, a Thursday. */
export const NOW = Date.UTC(2026, 2, 5, 7, 8, 9, 123)

export class TestWorld implements World {
  readonly topics = new Map<string, string>()
  readonly environments = new Map<string, string>()
  readonly secrets = new Map<string, string>()
  readonly actions = new Map<string, CompiledAction>()
  readonly models = new Map<string, CompiledModel>()
  readonly calls: OutsideCall[] = []
  answer: (call: OutsideCall) => string = () => ''
  randoms: number[] = []

  now(): number {
    return NOW
  }

  random(): number {
    return this.randoms.shift() ?? 0.5
  }

  uuid(): string {
    return '00000000-0000-4000-8000-000000000000'
  }

  lastValue(topic: string): Uint8Array | undefined {
    const value = this.topics.get(topic)
    return value === undefined ? undefined : bytes(value)
  }

  environment(name: string): string | undefined {
    return this.environments.get(name)
  }

  secret(name: string): string | undefined {
    return this.secrets.get(name)
  }

  model(name: string): CompiledModel | undefined {
    return this.models.get(name)
  }

  action(name: string): CompiledAction | undefined {
    return this.actions.get(name)
  }

  call(request: OutsideCall): string {
    this.calls.push(request)
    return this.answer(request)
  }
}

/** @throws Error with the first diagnostic, if the text is not well formed */
function parse(lot: string): { readonly source: Source; readonly entities: readonly { readonly kind: string }[] } {
  const source = new Source('test', lot)
  const { program, diagnostics } = parseProgram(source)
  const error = diagnostics.find(({ severity }) => severity === 'error')
  if (error !== undefined) {
    throw new Error(`${source.positionOf(error.span.start).line}: ${error.message}\n${lot}`)
  }
  return { source, entities: program.entities }
}

/** Compiles all actions and models of a text into the world; parents stand before children. */
export function deploy(world: TestWorld, lot: string, plainOutput: 'both' | 'json' | 'fields' = 'both'): void {
  const { source, entities } = parse(lot)
  const nodes = new Map<string, ModelNode>()
  for (const entity of entities) {
    if (entity.kind === 'action') {
      const action = compileAction(entity as ActionNode, source, LIMITS)
      world.actions.set(action.name, action)
    } else if (entity.kind === 'model') {
      const node = entity as ModelNode
      nodes.set(node.name.text, node)
      const find = (name: string): { node: ModelNode; source: Source } | undefined => {
        const parent = nodes.get(name)
        return parent && { node: parent, source }
      }
      world.models.set(node.name.text, compileModel(node, source, find, { plainOutput }))
    }
  }
}

export function node<Kind extends 'action' | 'model'>(lot: string): Kind extends 'action' ? ActionNode : ModelNode {
  return parse(lot).entities[0] as Kind extends 'action' ? ActionNode : ModelNode
}

export const NO_OCCASION: Occasion = { topic: '', payload: undefined, captures: [] }

export function message(topic: string, payload: string, captures: readonly string[] = []): Occasion {
  return { topic, payload: bytes(payload), captures }
}

/** `topic payload` of what is published, `keep topic payload`, and so on. */
export function told(effects: readonly Effect[]): string[] {
  return effects.map(tell)
}

function tell(effect: Effect): string {
  switch (effect.kind) {
    case 'publish':
      return `${effect.topic} ${text(effect.payload)}${effect.retain ? ' retain' : ''}${effect.qos > 0 ? ` qos${effect.qos}` : ''}`
    case 'keep':
      return `keep ${effect.topic} ${text(effect.payload) ?? '(cleared)'}`
    case 'environment':
      return `${effect.secret ? 'secret' : 'env'} ${effect.name} ${effect.value ?? '(deleted)'}`
    case 'store':
      return `store ${effect.route} ${effect.table} ${effect.record}`
    case 'routeEvent':
      return `${effect.isMapping ? 'mapping' : 'event'} ${effect.route} ${effect.target} ${text(effect.payload)}`
    default:
      return unreachable(effect)
  }
}

export interface Outcome {
  readonly effects: string[]
  readonly warnings: string[]
}

/** Runs an action whose body is `body` (4 spaces deep) for one occasion. */
export function runBody(body: string, world = new TestWorld(), occasion: Occasion = NO_OCCASION): Outcome {
  const indented = body
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')
  deploy(world, `DEFINE ACTION Test\nON TOPIC "in/+" DO\n${indented}\n`)
  const effects: Effect[] = []
  const warnings: string[] = []
  world.action('Test')?.run(world, occasion, effects, warnings)
  return { effects: told(effects), warnings }
}

/** The payload that `PUBLISH TOPIC "out" WITH expression` sends. */
export function evaluate(expression: string, world = new TestWorld(), occasion: Occasion = NO_OCCASION): string {
  const { effects } = runBody(`PUBLISH TOPIC "out" WITH ${expression}`, world, occasion)
  return effects.map((line) => line.replace(/^out /, '')).join(' | ')
}
