/** What the loader and the reference page need to know of a value beyond its type; kept in the schema by `.meta()`. */
export interface ValueMeta {
  /** Never printed. */
  readonly secret?: true
  /** A file or folder, or with `orName` something that may also be a name or an address: the loader makes paths absolute. */
  readonly file?: true | 'orName'
}

export const SECRET: ValueMeta = { secret: true }
export const FILE: ValueMeta = { file: true }
export const FILE_OR_NAME: ValueMeta = { file: 'orName' }
