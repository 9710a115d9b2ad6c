/** Environment values and secrets. The value of a secret appears in no answer and no log. */

import { counted } from '../base/counted.js'
import type { Command, CommandServices } from './command.js'
import { assignmentOf, wordsOf } from './command-line.js'
import { failure, type Reply, success } from './envelope.js'
import type { Draft } from './library.js'

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/

export const ENVIRONMENT_COMMANDS: readonly Command[] = [
  { name: 'SetEnv', scope: 'SystemConfiguration', change: (draft, { rest }) => setValue(draft, 'environment', rest) },
  {
    name: 'RemoveEnv',
    scope: 'SystemConfiguration',
    change: (draft, { rest }) => removeValue(draft, 'environment', rest),
  },
  {
    name: 'ListEnv',
    scope: 'SystemConfiguration',
    answer(_line, { library }) {
      const data = [...library.environment].map(([name, value]) => ({ name, value }))
      return success(data.length === 0 ? 'No environment values.' : `${data.length} environment values.`, { data })
    },
  },
  {
    name: 'SetSecret',
    scope: 'SystemConfiguration',
    change(draft, { rest }, { secretsProblem }) {
      return secretsProblem === undefined ? setValue(draft, 'secrets', rest) : failure(secretsProblem)
    },
  },
  {
    name: 'RemoveSecret',
    scope: 'SystemConfiguration',
    change: (draft, { rest }) => removeValue(draft, 'secrets', rest),
  },
  { name: 'ListSecrets', scope: 'SystemConfiguration', answer: (_line, services) => listSecrets(services) },
]

const TITLES = { environment: 'Environment value', secrets: 'Secret' } as const

function setValue(draft: Draft, place: 'environment' | 'secrets', rest: string): Reply {
  const given = assignmentOf(rest)
  if (given === undefined) return failure('Expected NAME=value')
  const { name, value } = given
  if (!NAME.test(name)) return failure('A name begins with a letter or _, and goes on with letters, digits, _, - and .')
  draft[place].set(name, value)
  return success(`${TITLES[place]} '${name}' set successfully.`)
}

function removeValue(draft: Draft, place: 'environment' | 'secrets', rest: string): Reply {
  const [name] = wordsOf(rest)
  if (name === undefined) return failure('The name is missing')
  if (!draft[place].has(name)) return failure(`${TITLES[place]} '${name}' not found.`)
  draft[place].delete(name)
  return success(`${TITLES[place]} '${name}' removed successfully.`)
}

function listSecrets({ library, secretsProblem }: CommandServices): Reply {
  const data = [...library.secrets.keys()]
  const warnings = secretsProblem === undefined ? [] : [secretsProblem]
  return success(data.length === 0 ? 'No secrets.' : `${counted(data.length, 'secret')}.`, { data, warnings })
}
