/** What a check of the configuration found. */
export interface Finding {
  /** An `error` keeps the broker from starting. */
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly remedy: string | undefined
}
