/** Examples beside the code: `NAME.test.lot.yaml` says what is given and what is expected. */
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import * as z from 'zod'
import { nearestSpelling } from '../base/spelling.js'
import { parseDuration } from './duration.js'

const CASES_MAX = 10_000
/** Of cases that do not say when they begin. */
const START = '2026-01-01T00:00:00Z'

const Text = z.union([z.string(), z.number(), z.boolean()]).transform(String)
/** Text as it is, anything else as JSON. */
const Payload = z.unknown().transform((value) => (typeof value === 'string' ? value : JSON.stringify(value ?? '')))
const Texts = z.record(z.string(), Text)
const Qos = z.union([z.literal(0), z.literal(1), z.literal(2)])

const Expected = z
  .strictObject({
    topic: z.string(),
    payload: z.unknown().optional(),
    json: z.unknown().optional(),
    includes: z.record(z.string(), z.unknown()).optional(),
    matches: z.string().refine(isPattern, 'it is not a regular expression').optional(),
    retain: z.boolean().optional(),
    qos: Qos.optional(),
  })
  .refine(hasOneWay, 'give one of payload, json, includes and matches, or none for any payload')
export type Expected = z.infer<typeof Expected>

const Time = z.string().transform((text, context) => {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) context.addIssue('write a time as in 2026-03-05T07:00:00Z')
  return ms
})

const Advance = z.string().transform((text, context) => {
  const ms = parseDuration(text)
  if (ms === undefined) context.addIssue('write a span of time as in "90 seconds" or "2 hours"')
  return ms ?? 0
})

const Client = {
  clientId: z.string().default('client'),
  user: z.string().default(''),
  endpoint: z.string().default(''),
}

/** One of these at a time. */
const Step = z
  .strictObject({
    publish: z.strictObject({ topic: z.string(), payload: Payload }).optional(),
    advance: Advance.optional(),
    start: z.literal(true).optional(),
    connect: z.strictObject({ ...Client, cleanSession: z.boolean().default(true) }).optional(),
    disconnect: z.strictObject({ ...Client, reason: z.string().default('NormalDisconnection') }).optional(),
    subscribe: z.strictObject({ ...Client, filter: z.string(), qos: Qos.default(0) }).optional(),
    keep: z.strictObject({ topic: z.string(), payload: Payload }).optional(),
    env: Texts.optional(),
    secret: Texts.optional(),
    call: z.strictObject({ action: z.string(), inputs: z.record(z.string(), z.unknown()).default({}) }).optional(),
    expect: z.array(Expected).optional(),
  })
  .refine((step) => Object.keys(step).length === 1, 'a step is one thing')
export type Step = z.infer<typeof Step>

const Case = z.strictObject({
  name: z.string(),
  time: Time.optional(),
  given: z.array(Step).default([]),
  expect: z.array(Expected).default([]),
  order: z.enum(['exact', 'any']).default('exact'),
  others: z.enum(['forbidden', 'allowed']).default('forbidden'),
  kept: z.record(z.string(), z.unknown()).default({}),
  environment: z.record(z.string(), Text.nullable()).default({}),
  outputs: Texts.optional(),
  failures: z.array(z.string()).default([]),
})

const TestFile = z.strictObject({
  files: z.array(z.string()).optional(),
  time: Time.default(Date.parse(START)),
  env: Texts.default({}),
  secrets: Texts.default({}),
  python: z.record(z.string(), Payload).default({}),
  cases: z.array(Case).max(CASES_MAX),
})

export type TestCase = z.infer<typeof Case> & { readonly line: number }
export interface TestFileContent extends Omit<z.infer<typeof TestFile>, 'cases'> {
  readonly cases: readonly TestCase[]
}

export interface TestFileProblem {
  /** From 1. */
  readonly line: number
  readonly message: string
}

/** @returns what is wrong with it, if something is. Never throws. */
export function readTestFile(text: string): TestFileContent | readonly TestFileProblem[] {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    return document.errors.map(({ message, pos }) => ({ line: lines.linePos(pos[0]).line, message }))
  }
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true)
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
    }
    return 1
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 })
  const isList = Array.isArray(value)
  const parsed = TestFile.safeParse(isList ? { cases: value } : value)
  const place = (path: readonly PropertyKey[]): number => lineOf(isList ? path.slice(1) : path)
  if (!parsed.success) {
    const keyLine = (path: readonly PropertyKey[], key: string): number => {
      const map = document.getIn(isList ? path.slice(1) : path, true)
      const found = isMap(map) ? map.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.key : undefined
      return isNode(found) && found.range ? lines.linePos(found.range[0]).line : place(path)
    }
    return parsed.error.issues.flatMap((issue) => {
      const { path, message } = issue
      const where = path.slice(isList ? 2 : 0).join('.')
      const placed = (text: string): string => (where === '' ? text : `${where}: ${text}`)
      if (issue.code !== 'unrecognized_keys') return [{ line: place(path), message: placed(message) }]
      return issue.keys.map((key) => ({ line: keyLine(path, key), message: placed(unknownKey(key, path)) }))
    })
  }
  const cases = parsed.data.cases.map((one, index) => ({ ...one, line: place(['cases', index]) }))
  return { ...parsed.data, cases }
}

/** @param path of the object that has it */
function unknownKey(key: string, path: readonly PropertyKey[]): string {
  const near = nearestSpelling(key, knownKeys(path))
  return `there is no key "${key}"${near === undefined ? '' : `: did you mean "${near}"?`}`
}

/** Of the object at a place: `cases.0.given.1.publish`. */
function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let schema: unknown = TestFile
  for (const step of path) {
    while (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) schema = schema.unwrap()
    if (schema instanceof z.ZodArray) schema = schema.element
    else if (schema instanceof z.ZodObject) schema = schema.shape[String(step)]
    else return []
  }
  while (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) schema = schema.unwrap()
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

function hasOneWay({ payload, json, includes, matches }: Readonly<Record<string, unknown>>): boolean {
  return [payload, json, includes, matches].filter((way) => way !== undefined).length <= 1
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text)
    return true
  } catch {
    return false
  }
}
