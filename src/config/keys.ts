/** The keys of the configuration as a tree, read from the schema: what the loader, its messages and the page share. */
import * as z from 'zod'
import { BrokerConfig } from './schema.js'

/** Names and, below lists, positions; `listeners.0.port` when printed. */
export type KeyPath = readonly (string | number)[]

/** One of the forms a value may have. Bounds are inclusive. */
export type ValueForm =
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  | { readonly kind: 'text'; readonly mayBeEmpty: boolean }
  | { readonly kind: 'boolean' }

interface Documented {
  readonly doc: string
  /** As in the schema; `undefined` where there is none. */
  readonly defaultValue: unknown
}
export interface Section extends Documented {
  readonly kind: 'section'
  readonly keys: ReadonlyMap<string, KeyNode>
}
export interface List extends Documented {
  readonly kind: 'list'
  readonly item: KeyNode
  readonly min: number
  readonly max: number
}
export interface Value extends Documented {
  readonly kind: 'value'
  readonly forms: readonly ValueForm[]
  readonly required: boolean
  readonly secret: boolean
  readonly file: false | true | 'orName'
}
export type KeyNode = Section | List | Value

/** The part of JSON Schema that zod produces for our schema. */
interface JsonSchema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly const?: string
  readonly anyOf?: readonly JsonSchema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly propertyNames?: JsonSchema
  readonly additionalProperties?: JsonSchema | false
  readonly secret?: boolean
  readonly file?: true | 'orName'
}

/** The root of the tree: the section that holds all keys. */
export const CONFIG_KEYS: Section = sectionOf(z.toJSONSchema(BrokerConfig, { io: 'input' }) as JsonSchema)

function nodeOf(schema: JsonSchema, required: boolean): KeyNode {
  if (schema.type === 'object') return sectionOf(schema)
  const documented = { doc: schema.description ?? '', defaultValue: schema.default }
  if (schema.type === 'array') {
    const { minItems: min = 0, maxItems: max = Number.POSITIVE_INFINITY } = schema
    return { ...documented, kind: 'list', item: nodeOf(schema.items!, false), min, max }
  }
  const forms = (schema.anyOf ?? [schema]).map(formOf)
  return {
    ...documented,
    kind: 'value',
    forms,
    required,
    secret: schema.secret === true,
    file: schema.file ?? false,
  }
}

/** A record with a fixed set of names (`log.areas`) is a section too: each of its names is a key. */
function sectionOf(schema: JsonSchema): Section {
  const keys = new Map<string, KeyNode>()
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    keys.set(name, nodeOf(child, schema.required?.includes(name) ?? false))
  }
  const { propertyNames, additionalProperties } = schema
  for (const name of propertyNames?.enum ?? []) {
    keys.set(name, nodeOf({ description: schema.description, ...(additionalProperties as JsonSchema) }, false))
  }
  return { kind: 'section', doc: schema.description ?? '', defaultValue: schema.default, keys }
}

function formOf(schema: JsonSchema): ValueForm {
  if (schema.enum !== undefined) return { kind: 'choice', values: schema.enum }
  if (schema.const !== undefined) return { kind: 'choice', values: [schema.const] }
  switch (schema.type) {
    case 'integer':
      return { kind: 'integer', min: schema.minimum!, max: schema.maximum! }
    case 'string':
      return { kind: 'text', mayBeEmpty: (schema.minLength ?? 0) === 0 }
    case 'boolean':
      return { kind: 'boolean' }
    default:
      throw new Error(
        `the configuration schema has a value of type ${schema.type}, which src/config/keys.ts does not know`,
      )
  }
}

/** The child of a section by name or of a list by position. */
export function childOf(node: KeyNode, step: string | number): KeyNode | undefined {
  if (node.kind === 'section') return node.keys.get(String(step))
  return node.kind === 'list' && /^\d{1,4}$/.test(String(step)) ? node.item : undefined
}

export function nodeAt(path: KeyPath): KeyNode | undefined {
  let node: KeyNode | undefined = CONFIG_KEYS
  for (const step of path) node = node === undefined ? undefined : childOf(node, step)
  return node
}

export function pathText(path: KeyPath): string {
  return path.join('.')
}

/** The path that is printed so. */
export function pathOfText(text: string): KeyPath {
  return text.split('.').map((step) => (/^\d{1,4}$/.test(step) ? Number(step) : step))
}

/** What stands at a path of a configuration, complete or not; `undefined` for nothing. */
export function valueAt(tree: unknown, path: KeyPath): unknown {
  return path.reduce((value, step) => (value as Record<string, unknown> | undefined)?.[step], tree)
}

/** Every value and list of the configuration in the order of the schema; items of lists have the position `*`. */
export function* allKeys(
  node: KeyNode = CONFIG_KEYS,
  path: readonly string[] = [],
): Generator<[string[], Value | List]> {
  if (node.kind !== 'section') yield [[...path], node]
  if (node.kind === 'list') yield* allKeys(node.item, [...path, '*'])
  if (node.kind === 'section') for (const [name, child] of node.keys) yield* allKeys(child, [...path, name])
}

/** `a whole number from 1 to 64, or auto`: what a key wants, to follow "must be". */
export function expectedText(node: KeyNode): string {
  switch (node.kind) {
    case 'section':
      return `a group of keys (${[...node.keys.keys()].join(', ')})`
    case 'list':
      return `a list of ${node.min} to ${node.max} entries`
    case 'value':
      return node.forms.map(formText).join(', or ')
  }
}

function formText(form: ValueForm): string {
  switch (form.kind) {
    case 'integer':
      return `a whole number from ${form.min} to ${form.max}`
    case 'choice':
      return form.values.length === 1 ? form.values[0]! : `one of ${form.values.join(', ')}`
    case 'text':
      return form.mayBeEmpty ? 'text' : 'text that is not empty'
    case 'boolean':
      return 'true or false'
  }
}
