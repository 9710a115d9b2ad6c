/** Words as a command of the broker takes them. */
import { wrongUsage } from './exit.js'

/** @param what it is, for the message: a password is not repeated @throws CommandError for one that cannot be written */
export function quoted(text: string, what = text): string {
  if (!text.includes('"')) return `"${text}"`
  if (!text.includes("'")) return `'${text}'`
  throw wrongUsage(`${what} has both kinds of quotes`, 'a command of the broker cannot hold that')
}
