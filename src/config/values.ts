/** Values between text and type: reading those of variables and flags, printing those that were wrong. */
import { parseYamlValue } from './file-formats.js'
import type { KeyNode, ValueForm } from './keys.js'

const GIVEN_LENGTH_MAX = 60

/**
 * The value that a text from a variable or a flag means for a key. A text that fits no form of the key comes back as it
 * is, to be refused by the schema. Lists and groups are written as in a file, `[{type: tcp, port: 1884}]`.
 */
export function valueOfText(node: KeyNode, text: string): unknown {
  if (node.kind === 'value') {
    for (const form of node.forms) {
      const value = formValue(form, text)
      if (value !== undefined) return value
    }
    return text
  }
  try {
    return parseYamlValue(text)
  } catch {
    return text
  }
}

function formValue(form: ValueForm, text: string): unknown {
  switch (form.kind) {
    case 'integer':
      return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined
    case 'choice':
      return form.values.includes(text) ? text : undefined
    case 'text':
      return text
  }
}

/** A wrong value for a message, shortened; secrets are not shown. */
export function givenText(node: KeyNode, value: unknown): string {
  if (node.kind === 'value' && node.secret) return 'something else'
  if (Array.isArray(value) && node.kind === 'list') return `${value.length} entries`
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= GIVEN_LENGTH_MAX ? text : `${text.slice(0, GIVEN_LENGTH_MAX)}…`
}
