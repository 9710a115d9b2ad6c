import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Source } from '../source.js'
import { parseProgram } from '../syntax/parse.js'
import { formatProgram } from './format.js'
import { type Formatted, formatted, plainTree } from './formatted.fixture.js'

function lotFilesIn(folder: string): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names.filter((name) => name.endsWith('.lot')).map((name) => join(folder, name))
}

/** Texts that are read without errors. */
const files = ['src', 'examples']
  .flatMap((folder) => lotFilesIn(folder))
  .map((name) => new Source(name, readFileSync(name, 'utf8')))
  .filter((source) => parseProgram(source).diagnostics.every(({ severity }) => severity === 'warning'))

void t.test('there are texts to format', async (t) => {
  t.ok(files.length >= 4)
})

for (const source of files) {
  void t.test(source.name, async (t) => {
    const first: Formatted = formatted(source)
    t.equal(plainTree(first.program), plainTree(parseProgram(source).program), 'the same tree')
    t.same(
      first.comments.toSorted(),
      parseProgram(source)
        .program.comments.map(({ text }) => text)
        .toSorted(),
    )
    t.equal(formatted(first.source).source.text, first.source.text, 'formatted already')
  })
}

const UNTIDY = `// about the action

define Action Tidy ON TOPIC "a/+" DO   // when

  // first
  SET  "x"   AS PAYLOAD+1 // behind
  IF {x}>5 THEN PUBLISH TOPIC "b" WITH {"k":1,
      "l":[1,2]} // after
  // end of the outer block

  ELSE

     // in the branch
     KEEP TOPIC "c" WITH (1+2)*3   -- old style
     // end of the branch
  PUBLISH MODEL M TO "out" WITH a=1, b.c={x},
  PUBLISH /* inner */ TOPIC "d" WITH 1


  PUBLISH MODEL M TO "out" WITH
     a = 1, // one
     b = 2
     // last
// about the model
DEFINE MODEL M COLLAPSED
  ADD "a" AS INT FROM TOPIC "a" AS TRIGGER, // typed
  ADD OBJECT "b"
    ADD INT "c"
// the end`

const TIDY = `// about the action

DEFINE ACTION Tidy
ON TOPIC "a/+" DO // when
    // first
    SET "x" WITH PAYLOAD + 1 // behind
    IF {x} > 5 THEN
        PUBLISH TOPIC "b" WITH { "k": 1, "l": [1, 2] } // after
    // end of the outer block
    ELSE
        // in the branch
        KEEP TOPIC "c" WITH (1 + 2) * 3 -- old style
        // end of the branch
    PUBLISH MODEL M TO "out" WITH a = 1, b.c = {x}
    /* inner */
    PUBLISH TOPIC "d" WITH 1

    PUBLISH MODEL M TO "out" WITH
        a = 1 // one
        b = 2
        // last

// about the model
DEFINE MODEL M COLLAPSED
    ADD INT "a" WITH TOPIC "a" AS TRIGGER // typed
    ADD OBJECT "b"
        ADD INT "c"
// the end
`

void t.test('comments and empty lines stay where they belong', async (t) => {
  const source = new Source('untidy', UNTIDY)
  const text = formatProgram(source, parseProgram(source).program)
  t.equal(text, TIDY)
  t.equal(formatted(new Source('tidy', text)).source.text, text)
})

void t.test('what is too long for a line is spread', async (t) => {
  const long = (length: number) => `"${'x'.repeat(length)}"`
  const text = (value: string) => {
    const source = new Source('long', `DEFINE ACTION A\nON START DO\n    ${value}\n`)
    return formatted(source).source.text.split('\n').slice(2, -1)
  }
  t.same(text(`PUBLISH TOPIC "a" WITH {"k": ${long(50)}, "l": [1, {}, ${long(20)}]}`), [
    '    PUBLISH TOPIC "a" WITH {',
    `        "k": ${long(50)},`,
    `        "l": [1, {}, ${long(20)}]`,
    '    }',
  ])
  t.same(text(`PUBLISH MODEL M TO "a" WITH k = ${long(50)}, l = ${long(30)}`), [
    '    PUBLISH MODEL M TO "a" WITH',
    `        k = ${long(50)}`,
    `        l = ${long(30)}`,
  ])
  t.same(text(`CALL PYTHON "s.f" WITH (${long(50)}, [${long(30)}]) RETURN AS {v}`), [
    '    CALL PYTHON "s.f" WITH (',
    `        ${long(50)},`,
    `        [${long(30)}]`,
    '    ) RETURN AS {v}',
  ])
})

void t.test('a text without entities keeps its comments', async (t) => {
  t.equal(formatted(new Source('empty', '')).source.text, '')
  t.equal(
    formatted(new Source('comment', '  // nothing yet\n\n\n/* more */')).source.text,
    '// nothing yet\n\n/* more */\n',
  )
})
