/** The meaning of a text that can be read: names, counts, topics, and what can never work. */
import { unreachable } from '../../base/errors.js'
import type { Diagnostic } from '../diagnostics.js'
import { Report } from '../syntax/report.js'
import type { Entity, Program } from '../tree.js'
import { checkAction } from './check-action.js'
import { checkModel } from './check-model.js'
import { checkPanel, checkTheme } from './check-panel.js'
import { checkRoute } from './check-route.js'
import { checkRule } from './check-rule.js'
import { type CheckOptions, type CheckWorld, worldWith } from './world.js'

export { type CheckOptions, type CheckWorld, type Dependency, missingDependencies } from './world.js'

const DEFAULTS: CheckOptions = { compat: 'v2' }

/** @returns by place. Never throws for a tree that the parser has made. */
export function checkEntity(
  entity: Entity,
  world: CheckWorld = {},
  options: CheckOptions = DEFAULTS,
): readonly Diagnostic[] {
  const report = new Report()
  check(entity, worldWith({ entities: [entity], comments: [] }, world), options, report)
  return report.sorted()
}

/** As `checkEntity` for each, and the entities of a text know each other. */
export function checkProgram(
  program: Program,
  world: CheckWorld = {},
  options: CheckOptions = DEFAULTS,
): readonly Diagnostic[] {
  const report = new Report()
  const together = worldWith(program, world)
  const names = new Set<string>()
  for (const entity of program.entities) {
    const key = `${entity.kind}/${entity.name.text}`
    if (names.has(key)) {
      report.add('LOT3019', `The ${entity.kind} ${entity.name.text} is defined twice`, entity.name.span)
    }
    names.add(key)
    check(entity, together, options, report)
  }
  return report.sorted()
}

function check(entity: Entity, world: CheckWorld, options: CheckOptions, report: Report): void {
  switch (entity.kind) {
    case 'action':
      checkAction(entity, world, report)
      return
    case 'model':
      checkModel(entity, world, report)
      return
    case 'route':
      checkRoute(entity, report)
      return
    case 'rule':
      checkRule(entity, options, report)
      return
    case 'panel':
      checkPanel(entity, world, report)
      return
    case 'theme':
      checkTheme(entity, report)
      return
    default:
      unreachable(entity)
      return
  }
}
