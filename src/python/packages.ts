/** Packages of Python: what there is, and what is said to whoever wants more. */
import { ALLOWED_MODULES } from './allowed-modules.js'
import { pyodideVersion } from './pyodide-files.js'

export interface PythonPackage {
  readonly name: string
  readonly version: string
}

/** For `-listPythonPackages`. */
export function listPackages(): readonly PythonPackage[] {
  return [{ name: 'pyodide', version: pyodideVersion() }]
}

/** For `-installPythonPackage`: nothing can be installed, as Python here reaches neither network nor files. */
export function installationRefusal(name: string): string {
  return (
    `Python package '${name}' cannot be installed: scripts run with the standard library alone. ` +
    `They may import ${ALLOWED_MODULES.join(', ')}; python.extraModules allows other modules of the standard library`
  )
}
