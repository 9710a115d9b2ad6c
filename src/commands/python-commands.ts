/** Commands of Python scripts. */
import type { AnswerCommand } from './command.js'
import { wordsOf } from './command-line.js'
import { failure, success } from './envelope.js'

export const PYTHON_COMMANDS: readonly AnswerCommand[] = [
  { name: 'AddPython', answer: ({ rest }, { python }) => python.add(rest) },
  {
    name: 'RemovePython',
    answer({ rest }, { python }) {
      const [name] = wordsOf(rest)
      return name === undefined ? failure('The name of the Python script is missing') : python.remove(name)
    },
  },
  { name: 'RemoveAllPythonScripts', answer: (_line, { python }) => python.removeAll() },
  {
    name: 'InstallPythonPackage',
    answer: () =>
      failure(
        'Python packages cannot be installed: scripts run without network. python.extraModules allows modules of the standard library',
      ),
  },
  { name: 'ListPythonPackages', answer: () => success('No packages besides the standard library.', { data: [] }) },
]
