/** What is said to whoever wants a package that is not there. */
import { ALLOWED_MODULES } from './allowed-modules.js'
import type { WantedPackage } from './wheel-name.js'

/** Where a wheel is looked for by its name. */
export type WheelPlace = { readonly folder: string } | undefined

/** @returns undefined where scripts do not have it by themselves */
export function needsNoInstallation(name: string): string | undefined {
  if (!ALLOWED_MODULES.includes(name)) return undefined
  return `'${name}' needs no installation: it is part of the standard library, and scripts may import it`
}

/** @param place undefined where no folder of wheels is configured */
export function notFoundText({ name, version }: WantedPackage, place: WheelPlace): string {
  const what = version === undefined ? name : `${name}==${version}`
  const where =
    place === undefined
      ? 'the broker fetches nothing from the network, and has no folder of wheels (python.wheelsFolder)'
      : `no wheel of it in pure Python is in ${place.folder}`
  const then =
    place === undefined
      ? 'then send the wheel: merlot python install FILE.whl'
      : 'then put the wheel into that folder, or send it: merlot python install FILE.whl'
  return (
    `Python package '${what}' cannot be installed: ${where}. On a machine with pip and the network: ` +
    `pip download --only-binary=:all: --no-deps ${what}; ${then}`
  )
}
