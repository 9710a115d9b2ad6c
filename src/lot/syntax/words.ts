/** Words that mean something to the parser at some place. */
import type { SessionWord } from '../tree.js'

export const SESSION_WORDS: readonly SessionWord[] = [
  'CLIENTID',
  'USER',
  'ENDPOINT',
  'CLEANSESSION',
  'DISCONNECTREASON',
  'SUBSCRIBETOPIC',
  'SUBSCRIBEQOS',
]

/** What a value can begin with. */
export const EXPRESSION_WORDS: ReadonlySet<string> = new Set([
  ...SESSION_WORDS,
  'PAYLOAD',
  'RESULT',
  'EMPTY',
  'NULL',
  'TOPIC',
  'GET',
  'RANDOM',
  'TIMESTAMP',
  'FILTER',
  'SPLIT',
  'REPLACE',
  'TRIM',
  'IF',
])

/** What a statement of an action can begin with. */
export const STATEMENT_WORDS = [
  'SET',
  'PUBLISH',
  'KEEP',
  'DELETE',
  'IF',
  'SWITCH',
  'LOOP',
  'REPEAT',
  'CALL',
  'TRIGGER',
] as const

export function isStatementWord(word: string): word is (typeof STATEMENT_WORDS)[number] {
  return (STATEMENT_WORDS as readonly string[]).includes(word)
}

/** What stands between the parts of a statement, and therefore is no value. */
export const RESERVED_WORDS: ReadonlySet<string> = new Set([
  ...STATEMENT_WORDS,
  'WITH',
  'THEN',
  'ELSE',
  'DO',
  'UNTIL',
  'CASE',
  'DEFAULT',
  'RETURN',
  'OUTPUT',
  'DEFINE',
  'ADD',
  'STORE',
  'FETCH',
  'AND',
  'OR',
  'NOT',
  'AS',
  'IN',
  'FROM',
  'USING',
  'AND_THEN',
])
