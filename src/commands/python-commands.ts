/** Commands of Python scripts and packages. */
import type { AnswerCommand } from './command.js'
import { wordsOf } from './command-line.js'
import { failure } from './envelope.js'

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
    answer: ({ rest }, { python }) => python.installPackage(wordsOf(rest)),
  },
  {
    name: 'RemovePythonPackage',
    scope: 'SystemConfiguration',
    answer({ rest }, { python }) {
      const [name] = wordsOf(rest)
      return name === undefined ? failure('The name of the Python package is missing') : python.removePackage(name)
    },
  },
  {
    name: 'ListPythonPackages',
    scope: 'SystemConfiguration',
    answer: (_line, { python }) => python.listPackages(),
  },
]
