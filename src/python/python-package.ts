/** A package as Python gets it, and what a change of packages does to scripts. */

/** Texts of modules by their paths, such as `dateutil/parser/__init__.py`. */
export type PackageFiles = Readonly<Record<string, string>>

export interface PythonPackage {
  /** Normalised. */
  readonly name: string
  readonly files: PackageFiles
}

/** A script that was loaded again, because it uses the package, or failed before. */
export interface ReloadedScript {
  readonly script: string
  /** Why it cannot be loaded; undefined if it could. */
  readonly failure: string | undefined
}

export type PackageChange =
  | { readonly kind: 'done'; readonly reloaded: readonly ReloadedScript[] }
  | { readonly kind: 'refused'; readonly message: string }
