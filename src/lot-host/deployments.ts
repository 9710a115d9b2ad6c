/** Entities come and go. What replaces another takes its place in one step, once everything it needs is there. */
import { messageOf } from '../base/errors.js'
import { type EntityRef, type RunnableDefinition, SessionHook } from '../contracts/lot.js'
import type { FindModel } from '../lot/program.js'
import type { Source } from '../lot/source.js'
import type { ModelNode } from '../lot/tree.js'
import { Entity } from './entity.js'
import type { HostState } from './host-state.js'
import type { Plan } from './plan.js'

/** The rest of the host, as far as deployments concern it. */
export interface DeploymentOwner {
  /** It works from now on. */
  activated(entity: Entity, lastRunMs: number | undefined): void
  /** It will not run any more: who waits for it is told. */
  deactivated(entity: Entity): void
  /** Last values of topics that nobody read before. */
  fill(filters: readonly string[]): Promise<void>
  /** What was written to rings goes out. */
  flush(): void
}

/** Loaded with the first definition: parser and compiler are large, and many brokers run no LoT. */
type Planner = typeof import('./plan.js')

interface Deployment {
  readonly definition: RunnableDefinition
  readonly plan: Plan
}

interface ParsedModel {
  readonly node: ModelNode
  readonly source: Source
}

export class Deployments {
  /** One change after the other. */
  #turn: Promise<void> = Promise.resolve()
  /** Of installed models. */
  readonly #models = new Map<string, ParsedModel>()
  /** Models that are gone, but that others inherit from. */
  readonly #orphaned = new Set<string>()

  constructor(
    readonly state: HostState,
    readonly owner: DeploymentOwner,
  ) {}

  /** @throws Error if one of them cannot be; then none is installed */
  install(definitions: readonly RunnableDefinition[]): Promise<void> {
    return this.#inTurn(() => this.#install(definitions))
  }

  remove(entities: readonly EntityRef[]): Promise<void> {
    return this.#inTurn(async () => {
      for (const ref of entities) this.#remove(ref)
      this.#releaseOrphans()
      this.owner.flush()
    })
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(change)
    this.#turn = done.catch(() => {}) // whoever asked for it is told
    return done
  }

  async #install(definitions: readonly RunnableDefinition[]): Promise<void> {
    if (definitions.length === 0) return
    const planner = await import('./plan.js')
    const models = new Map<string, ParsedModel>()
    const deployments = this.#plan(planner, definitions, models)
    const filters: string[] = []
    const reads: string[] = []
    for (const { plan } of deployments) {
      filters.push(...this.#want(plan))
      for (const filter of plan.reads) if (this.state.topics.read(filter)) reads.push(filter)
    }
    this.owner.flush()
    await this.state.interest.confirmed(filters)
    if (reads.length > 0) await this.owner.fill(reads)
    for (const [name, model] of models) this.#models.set(name, model)
    // models first: an action that runs at once may publish them
    const ordered = [...deployments].sort((a, b) => (a.definition.kind < b.definition.kind ? 1 : -1))
    for (const deployment of ordered) this.#activate(deployment)
    this.#replanChildren(planner, new Set(models.keys()), new Set(definitions.map(({ name }) => name)))
    this.#releaseOrphans()
    this.owner.flush()
  }

  #plan(planner: Planner, definitions: readonly RunnableDefinition[], models: Map<string, ParsedModel>): Deployment[] {
    const { compat } = this.state.config
    const parsed = definitions.map((definition) => ({
      definition,
      ...planner.parseDefinition(definition, compat),
    }))
    for (const { definition, node, source } of parsed) {
      if (node.kind === 'model') models.set(definition.name, { node, source })
    }
    const find: FindModel = (name) => models.get(name) ?? this.#models.get(name)
    return parsed.map(({ definition, node, source }) => ({
      definition,
      plan: node.kind === 'action' ? planner.planAction(node) : this.#planModel(planner, node, source, find),
    }))
  }

  #planModel(planner: Planner, node: ModelNode, source: Source, find: FindModel): Plan {
    return planner.planModel(node, source, find, this.state.config.models.plainOutput)
  }

  #activate({ definition, plan }: Deployment): void {
    const { kind, name, source, lastRunMs } = definition
    const generation = this.state.book.set(`${kind} ${name}`, source)
    if (kind === 'model' && this.#orphaned.delete(name)) this.state.book.set(`parent ${name}`, undefined)
    const old = this.state.find(definition)
    if (old === undefined) {
      const entity = new Entity({ kind, name }, source, plan, generation, this.state.total)
      this.state.entities.set(`${kind} ${name}`, entity)
      this.state.topics.add(entity)
      this.state.failures.clear(entity)
      this.owner.activated(entity, lastRunMs)
      return
    }
    this.owner.deactivated(old)
    const isSame = JSON.stringify(old.plan.inputs) === JSON.stringify(plan.inputs)
    this.#release(old.plan)
    Object.assign(old, { source, plan, generation })
    old.forget()
    if (!isSame) {
      old.inputsVersion++
      this.state.drop(old, old.mailbox.clear())
      old.instances.clear()
    }
    this.state.topics.add(old)
    this.state.failures.clear(old)
    this.owner.activated(old, lastRunMs)
  }

  #remove(ref: EntityRef): void {
    const entity = this.state.find(ref)
    if (entity === undefined) return
    const { kind, name } = ref
    entity.isRemoved = true
    this.state.entities.delete(`${kind} ${name}`)
    this.state.topics.remove(entity)
    this.#release(entity.plan)
    this.state.drop(entity, entity.mailbox.clear())
    this.state.book.set(`${kind} ${name}`, undefined)
    if (kind === 'model') this.#removeModel(name, entity.source)
    this.owner.deactivated(entity)
    this.state.failures.clear(entity)
  }

  /** Others that inherit from it keep what they have from it. */
  #removeModel(name: string, source: string): void {
    if (!this.#hasChildren(name)) {
      this.#models.delete(name)
      return
    }
    this.#orphaned.add(name)
    this.state.book.set(`parent ${name}`, source)
  }

  #hasChildren(name: string): boolean {
    return [...this.#models.values()].some(({ node }) => node.parent?.text === name)
  }

  /** Models that are gone, and that nobody inherits from any more; then perhaps their parents, too. */
  #releaseOrphans(): void {
    for (let isDone = false; !isDone; ) {
      isDone = true
      for (const name of this.#orphaned) {
        if (this.#hasChildren(name)) continue
        isDone = false
        this.#orphaned.delete(name)
        this.#models.delete(name)
        this.state.book.set(`parent ${name}`, undefined)
      }
    }
  }

  /** Models that inherit from changed ones may have other topics now. */
  #replanChildren(planner: Planner, changed: Set<string>, installed: ReadonlySet<string>): void {
    for (let grows = changed.size > 0; grows; ) {
      grows = false
      for (const [name, { node }] of this.#models) {
        if (changed.has(name) || node.parent === undefined || !changed.has(node.parent.text)) continue
        changed.add(name)
        grows = true
      }
    }
    for (const name of changed) {
      const entity = this.state.find({ kind: 'model', name })
      const model = this.#models.get(name)
      if (installed.has(name) || entity === undefined || model === undefined) continue
      try {
        const plan = this.#planModel(planner, model.node, model.source, (parent) => this.#models.get(parent))
        this.#want(plan)
        for (const filter of plan.reads) this.state.topics.read(filter)
        this.#activate({ definition: { kind: 'model', name, source: entity.source }, plan })
      } catch (error) {
        this.state.fail(entity, messageOf(error), 1)
      }
    }
  }

  /** @returns all filters of the plan */
  #want(plan: Plan): string[] {
    const filters = filtersOf(plan)
    for (const filter of filters) this.state.interest.want(filter)
    if (plan.session !== undefined) this.state.interest.wantHook(hookOf(plan.session.kind), true)
    return filters
  }

  #release(plan: Plan): void {
    for (const filter of filtersOf(plan)) this.state.interest.unwant(filter)
    for (const filter of plan.reads) this.state.topics.unread(filter)
    if (plan.session !== undefined) this.state.interest.wantHook(hookOf(plan.session.kind), false)
  }
}

function filtersOf(plan: Plan): string[] {
  return [...plan.inputs.map(({ filter }) => filter), ...plan.reads]
}

function hookOf(kind: 'connect' | 'disconnect' | 'subscribe'): number {
  if (kind === 'connect') return SessionHook.CONNECT
  return kind === 'disconnect' ? SessionHook.DISCONNECT : SessionHook.SUBSCRIBE
}
