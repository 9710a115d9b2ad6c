/** What is said to whoever wants packages of Python: none can be installed, as scripts reach neither network nor files. */
import { ALLOWED_MODULES } from './allowed-modules.js'

/** @param name as it stands behind `-installPythonPackage`, possibly with a version; undefined if nothing does */
export function installationRefusal(name: string | undefined): string {
  const module = name?.split(/[=<>~![;]/, 1)[0]
  if (module !== undefined && ALLOWED_MODULES.includes(module)) {
    return `'${module}' needs no installation: it is part of the standard library, and scripts may import it`
  }
  const what = name === undefined ? 'Python packages' : `Python package '${name}'`
  return (
    `${what} cannot be installed: scripts run with the standard library alone, without network and files. ` +
    'Copy functions that are pure Python into the script; name modules of the standard library in python.extraModules; ' +
    'leave what needs native code or the network to a client that subscribes to the input and publishes the result'
  )
}
