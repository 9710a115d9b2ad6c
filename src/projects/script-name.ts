/** The name of a Python script, which stands in its header. */

const HEADER_LINES = 10
const HEADER = /^\s*#\s*(?:Script Name:|@name\s)\s*([A-Za-z_][A-Za-z0-9_]*)\s*$/i

/** @returns undefined where none of the first ten lines is `# Script Name: Identifier` (formerly `# @name Identifier`) */
export function scriptNameOf(source: string): string | undefined {
  const lines = source.replace(/^\uFEFF/, '').split(/\r\n?|\n/, HEADER_LINES)
  for (const line of lines) {
    const name = HEADER.exec(line)?.[1]
    if (name !== undefined) return name
  }
  return undefined
}
