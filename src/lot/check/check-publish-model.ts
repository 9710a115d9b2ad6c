/** PUBLISH MODEL: whether the model has what is assigned. */
import type { Report } from '../syntax/report.js'
import type { Statement } from '../tree.js'
import { fieldsOf, findField, mayHold } from './model-fields.js'
import type { CheckWorld } from './world.js'

export function checkPublishModel(
  { model: { text: name }, assignments }: Extract<Statement, { kind: 'publishModel' }>,
  world: CheckWorld,
  report: Report,
): void {
  const seen = new Set<string>()
  for (const { path, span } of assignments) {
    const field = path.join('.')
    if (seen.has(field)) report.add('LOT4010', `${field} is assigned twice: the last value counts`, span)
    seen.add(field)
  }
  const model = world.model?.(name)
  if (model === undefined) return
  const { members, isOpen } = fieldsOf(model, world)
  for (const { path, span } of assignments) {
    const place = findField(members, path)
    if (place.kind === 'unknown') {
      if (isOpen) continue
      report.add('LOT3010', `Model ${name} has no field ${place.name}`, span, place.nearest)
    } else if (place.rest.length > 0 && !mayHold(place.member)) {
      report.add(
        'LOT3010',
        `Model ${name} has no field ${path.join('.')}: ${place.member.name.text} is a single value`,
        span,
      )
    }
  }
}
