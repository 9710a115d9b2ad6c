/** What is deployed besides the entity that is checked. */
import type { ActionNode, Entity, ModelNode, Program, RouteNode } from '../tree.js'
import { everyStatement } from './walk.js'

/** Looks things up by name. What a world cannot look up, or does not have, may come later, but for parents of models. */
export interface CheckWorld {
  model?(name: string): ModelNode | undefined
  action?(name: string): ActionNode | undefined
  route?(name: string): RouteNode | undefined
  /** Names of the functions of a script. */
  python?(script: string): readonly string[] | undefined
}

export interface CheckOptions {
  readonly compat: 'v1' | 'v2'
}

/** The entities of a text before those that are deployed. */
export function worldWith(program: Program, world: CheckWorld): CheckWorld {
  const byName = new Map(program.entities.map((entity) => [`${entity.kind}/${entity.name.text}`, entity]))
  const own = (kind: Entity['kind'], name: string) => byName.get(`${kind}/${name}`)
  return {
    model: world.model && ((name) => (own('model', name) as ModelNode | undefined) ?? world.model?.(name)),
    action: (name) => (own('action', name) as ActionNode | undefined) ?? world.action?.(name),
    route: (name) => (own('route', name) as RouteNode | undefined) ?? world.route?.(name),
    python: (script) => world.python?.(script),
  }
}

export interface Dependency {
  readonly kind: 'model' | 'action' | 'python'
  readonly name: string
}

/**
 * What an action needs before it can run: the models, actions and scripts that it uses and the world does
 * not have, each once, in the order of the text.
 */
export function missingDependencies(entity: Entity, world: CheckWorld): readonly Dependency[] {
  if (entity.kind !== 'action') return []
  const missing = new Map<string, Dependency>()
  for (const statement of everyStatement(entity.body)) {
    let needed: Dependency | undefined
    if (statement.kind === 'publishModel') needed = { kind: 'model', name: statement.model.text }
    else if (statement.kind === 'callAction') needed = { kind: 'action', name: statement.action.text }
    else if (statement.kind === 'callPython') needed = { kind: 'python', name: statement.target.value.split('.', 1)[0] }
    if (needed === undefined) continue
    const isThere = needed.kind === 'action' && needed.name === entity.name.text
    if (!isThere && world[needed.kind]?.(needed.name) === undefined)
      missing.set(`${needed.kind}/${needed.name}`, needed)
  }
  return [...missing.values()]
}
