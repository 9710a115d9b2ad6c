/** PUBLISH MODEL: always by the model's current definition. */
import type { CompiledModel, ModelTemplate } from '../program.js'
import type { Statement } from '../tree.js'
import { encodeText } from '../values/text-bytes.js'
import type { ActionScope } from './action-scope.js'
import type { Run } from './run.js'
import { compileWriteTopic } from './topic.js'

export function compilePublishModel(
  node: Extract<Statement, { kind: 'publishModel' }>,
  scope: ActionScope,
): (run: Run) => void {
  const name = node.model.text
  const topic = compileWriteTopic(node.topic, scope).run
  const paths = node.assignments.map((assignment) => assignment.path)
  const values = node.assignments.map((assignment) => scope.expression(assignment.value).run)
  const at = node.span.start
  let known: CompiledModel | undefined
  let template: ModelTemplate | undefined
  return (run) => {
    run.at = at
    const model = run.world.model(name)
    if (model === undefined) throw new Error(`there is no model "${name}"`)
    if (model !== known || template === undefined) {
      template = model.template(paths)
      known = model
    }
    const { qos, retain } = template
    const json = template.json(
      run,
      values.map((value) => value(run)),
    )
    const payload = encodeText(json)
    run.effects.push({ kind: 'publish', topic: topic(run), payload, qos, retain, byPublishModel: true })
  }
}
