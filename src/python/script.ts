/** A Python script as its text says it: the header with its name, and how it gets to Python. */

const HEADER = /^[ \t]*#[ \t]*Script Name:[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\r?$/im
/** As older Coreflux brokers had it. */
const OLD_HEADER = /^[ \t]*#[ \t]*@name[ \t]+([A-Za-z_][A-Za-z0-9_]*)[ \t]*\r?$/im

export const SCRIPT_CHARACTERS_MAX = 1 << 20

/** @returns undefined where there is no header */
export function scriptName(text: string): string | undefined {
  return (HEADER.exec(text) ?? OLD_HEADER.exec(text))?.[1]
}

/** Line ends and the mark at the start as Python wants them. */
export function pythonText(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
}
