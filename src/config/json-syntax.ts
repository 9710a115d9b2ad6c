/** Where and how a text fails to be JSON: the messages of JSON.parse differ between versions and may have no place. */

export interface JsonProblem {
  readonly message: string
  /** In UTF-16 units from the beginning. */
  readonly offset: number
}

const SPACE = /[ \t\n\r]*/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/** The first problem of a text, `undefined` for JSON. Nesting is followed without recursion. */
export function jsonProblem(text: string): JsonProblem | undefined {
  let offset = 0
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = offset
    const taken = pattern.exec(text)?.[0].length ?? -1
    offset += Math.max(taken, 0)
    return taken >= 0
  }
  const takeCharacter = (character: string): boolean => {
    take(SPACE)
    if (text[offset] !== character) return false
    offset++
    return true
  }
  const problem = (expected: string): JsonProblem => ({
    message: `${expected} is expected here, ${offset >= text.length ? 'but the file ends' : `not ${JSON.stringify(text[offset])}`}`,
    offset,
  })
  const takeKey = (): JsonProblem | undefined => {
    take(SPACE)
    if (!take(STRING)) return problem('a key in double quotes')
    return takeCharacter(':') ? undefined : problem('":"')
  }

  const open: ('}' | ']')[] = []
  for (;;) {
    take(SPACE)
    const opened = text[offset] === '{' ? '}' : text[offset] === '[' ? ']' : undefined
    if (opened !== undefined) {
      offset++
      if (!takeCharacter(opened)) {
        open.push(opened)
        const wrongKey = opened === '}' ? takeKey() : undefined
        if (wrongKey !== undefined) return wrongKey
        continue
      }
    } else if (!take(STRING) && !take(SCALAR)) {
      return problem('a value')
    }
    while (open.length > 0 && takeCharacter(open.at(-1)!)) open.pop()
    take(SPACE)
    const closing = open.at(-1)
    if (closing === undefined) return offset === text.length ? undefined : problem('the end of the file')
    if (!takeCharacter(',')) return problem(`"," or "${closing}"`)
    const wrongKey = closing === '}' ? takeKey() : undefined
    if (wrongKey !== undefined) return wrongKey
  }
}
