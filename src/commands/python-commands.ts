/** Commands of Python scripts. */
import { installationRefusal } from '../python/packages.js'
import type { AnswerCommand } from './command.js'
import { wordsOf } from './command-line.js'
import { failure, success } from './envelope.js'

export const PYTHON_COMMANDS: readonly AnswerCommand[] = [
  { name: 'AddPython', scope: 'SystemConfiguration', answer: ({ rest }, { python }) => python.add(rest) },
  {
    name: 'RemovePython',
    scope: 'SystemConfiguration',
    answer({ rest }, { python }) {
      const [name] = wordsOf(rest)
      return name === undefined ? failure('The name of the Python script is missing') : python.remove(name)
    },
  },
  { name: 'RemoveAllPythonScripts', scope: 'SystemConfiguration', answer: (_line, { python }) => python.removeAll() },
  {
    name: 'InstallPythonPackage',
    scope: 'SystemConfiguration',
    answer: ({ rest }) => failure(installationRefusal(wordsOf(rest)[0])),
  },
  {
    name: 'ListPythonPackages',
    scope: 'SystemConfiguration',
    answer: () => success('No packages besides the standard library.', { data: [] }),
  },
]
