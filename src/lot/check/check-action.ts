/** Actions: what fires them, what they take, do and return. */
import type { Report } from '../syntax/report.js'
import type { ActionNode, Name, Trigger } from '../tree.js'
import { checkBody } from './check-statement.js'
import { occasionOf } from './occasion.js'
import { momentProblem, timeProblem } from './times.js'
import { filterProblem } from './topics.js'
import { Variables } from './variables.js'
import type { CheckWorld } from './world.js'

export function checkAction(action: ActionNode, world: CheckWorld, report: Report): void {
  if (action.trigger !== undefined) checkTrigger(action.trigger, report)
  checkOnce(
    'INPUT',
    action.inputs.map(({ name }) => name),
    report,
  )
  checkOnce('OUTPUT', action.outputs, report)
  const inputs = action.inputs.map(({ name }) => name.text)
  const variables = new Variables(inputs, action.body, report)
  const trigger = action.trigger
  const ownFilter = trigger?.kind === 'topic' || trigger?.kind === 'change' ? trigger.filter.value : undefined
  const occasion = occasionOf(trigger)
  checkBody(action.body, { report, world, occasion, variables, action: action.name.text, ownFilter })
  for (const { text, span } of action.outputs) {
    if (!variables.has(text)) report.add('LOT3016', `OUTPUT ${text} has no value: nothing sets it`, span)
  }
}

function checkTrigger(trigger: Trigger, report: Report): void {
  switch (trigger.kind) {
    case 'topic':
    case 'change':
    case 'subscribe': {
      const problem = trigger.filter && filterProblem(trigger.filter.value)
      if (trigger.filter && problem !== undefined) {
        report.add('LOT3012', `The topic filter is not valid: ${problem}`, trigger.filter.span)
      }
      return
    }
    case 'days':
    case 'timestamp': {
      const { value, span } = trigger.time
      const problem = trigger.kind === 'days' ? timeProblem(value) : momentProblem(value)
      if (problem !== undefined) report.add('LOT3017', problem, span)
    }
  }
}

function checkOnce(word: string, names: readonly Name[], report: Report): void {
  const seen = new Set<string>()
  for (const { text, span } of names) {
    if (seen.has(text)) report.add('LOT3018', `${word} ${text} stands twice`, span)
    seen.add(text)
  }
}
