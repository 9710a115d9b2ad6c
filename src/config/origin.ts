/** Where a value of the configuration came from. */
export type Origin =
  | { readonly kind: 'default' }
  /** `line` and `column` count from 1; 0 where the format does not tell. */
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  /** Set by a client, and kept. */
  | { readonly kind: 'client' }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'flag'; readonly flag: string }

export const DEFAULT_ORIGIN: Origin = { kind: 'default' }
export const CLIENT_ORIGIN: Origin = { kind: 'client' }

/** `merlot.yaml:3:5`, `Config/New`, `MERLOT_SESSION__INFLIGHT_MAX`, `--port`, `default`. */
export function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default'
    case 'file':
      return origin.line === 0 ? origin.file : `${origin.file}:${origin.line}:${origin.column}`
    case 'client':
      return 'Config/New'
    case 'environment':
      return origin.variable
    case 'flag':
      return origin.flag
  }
}
