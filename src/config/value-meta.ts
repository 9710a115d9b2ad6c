/** What the loader and the reference page need to know of a value beyond its type; kept in the schema by `.meta()`. */
export interface ValueMeta {
  /** Never printed. */
  readonly secret?: true
  /** A file or folder: the loader makes it absolute. */
  readonly file?: true
}

export const SECRET: ValueMeta = { secret: true }
export const FILE: ValueMeta = { file: true }
