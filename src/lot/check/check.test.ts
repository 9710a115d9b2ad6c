import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { Source } from '../source.js'
import { parseProgram } from '../syntax/parse.js'
import type { ActionNode, Entity, ModelNode } from '../tree.js'
import { checkEntity, checkProgram, missingDependencies } from './check.js'

function entitiesOf(text: string): readonly Entity[] {
  const { program, diagnostics } = parseProgram(new Source('test', text))
  t.same(diagnostics, [])
  return program.entities
}

const CALLER = `DEFINE ACTION Caller
ON START DO
    IF GET TOPIC "a" == 1 THEN
        CALL ACTION Callee WITH a = 1
        PUBLISH MODEL Report TO "out" WITH a = 1
    ELSE
        LOOP
            CALL PYTHON "Script.run" WITH (1)
            CALL PYTHON "Script.stop" WITH (1)
        UNTIL GET TOPIC "b" == 1
    CALL ACTION Callee WITH a = 2
    CALL ACTION Caller`

void t.test('dependencies are named once, and only those that the world does not have', async (t) => {
  const [caller] = entitiesOf(CALLER)
  t.same(missingDependencies(caller, {}), [
    { kind: 'action', name: 'Callee' },
    { kind: 'model', name: 'Report' },
    { kind: 'python', name: 'Script' },
  ])
  const [callee] = entitiesOf('DEFINE ACTION Callee\nINPUT a AS INT\nDO\n    SET "b" WITH {a}') as readonly ActionNode[]
  const world = { action: (name: string) => (name === 'Callee' ? callee : undefined), python: () => ['run'] }
  t.same(missingDependencies(caller, world), [{ kind: 'model', name: 'Report' }])
  const [model] = entitiesOf('DEFINE MODEL Report COLLAPSED\n    ADD INT "a"')
  t.same(missingDependencies(model, {}), [])
})

void t.test('what the world does not have may come later', async (t) => {
  const [caller] = entitiesOf(CALLER)
  t.same(
    checkEntity(caller).map(({ code }) => code),
    ['LOT4008'],
  )
})

void t.test('an entity is checked against what is deployed', async (t) => {
  const [base, child] = entitiesOf(
    'DEFINE MODEL Base COLLAPSED\n    ADD INT "a"\n\nDEFINE MODEL Child FROM Base\n    ADD INT "b" WITH (a + 1)',
  ) as readonly ModelNode[]
  t.same(checkEntity(child, { model: (name) => (name === 'Base' ? base : undefined) }), [])
  t.same(
    checkEntity(child, { model: () => undefined }).map(({ code }) => code),
    ['LOT3101'],
  )
  t.same(checkEntity(child, {}), [], 'a world that knows no models says nothing of parents')
})

void t.test('a model that is deployed anew is its own next version', async (t) => {
  const [old] = entitiesOf('DEFINE MODEL One FROM Two\n    ADD INT "a"') as readonly ModelNode[]
  const [two, one] = entitiesOf(
    'DEFINE MODEL Two\n    ADD INT "b"\n\nDEFINE MODEL One COLLAPSED\n    ADD INT "a"',
  ) as readonly ModelNode[]
  t.same(checkEntity(one, { model: (name) => (name === 'One' ? old : two) }), [])
})

void t.test('what is wrong with an inherited topic is said of the heir', async (t) => {
  const base = entitiesOf(
    'DEFINE MODEL Base COLLAPSED\n    ADD INT "a" WITH TOPIC "limits/+/+"',
  ) as readonly ModelNode[]
  const text = 'DEFINE MODEL Child FROM Base WITH TOPIC "out/+"\n    ADD INT "b" WITH TOPIC "in/+" AS TRIGGER'
  const [found, ...more] = checkEntity(entitiesOf(text)[0], { model: () => base[0] })
  t.same([found.code, text.slice(found.span.start, found.span.end), more], ['LOT3105', 'Child', []])
})

void t.test('priorities below 100 are for version 1', async (t) => {
  const [rule] = entitiesOf('DEFINE RULE Low WITH PRIORITY 20 FOR Connect\n    ALLOW')
  t.same(
    checkEntity(rule).map(({ code, severity }) => [code, severity]),
    [['LOT3201', 'error']],
  )
  t.same(
    checkEntity(rule, {}, { compat: 'v1' }).map(({ code, severity }) => [code, severity]),
    [['LOT4201', 'warning']],
  )
})

void t.test('what was meant is suggested', async (t) => {
  const source = new Source(
    'test',
    'DEFINE ACTION A\nON START DO\n    SET "pressure" WITH 1\n    PUBLISH TOPIC "a" WITH {presure.x}',
  )
  const [{ suggestion }] = checkProgram(parseProgram(source).program)
  t.same(suggestion && [source.text.slice(suggestion.span.start, suggestion.span.end), suggestion.replacement], [
    '{presure.x}',
    '{pressure.x}',
  ])
})

void t.test('any tree that the parser makes can be checked', async () => {
  const folders = ['syntax', 'check'].map((name) => join('src', 'lot', name, 'cases'))
  const lines = folders.flatMap((folder) =>
    readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n')),
  )
  const text = fc.array(fc.constantFrom(...lines), { maxLength: 30 }).map((some) => some.join('\n'))
  fc.assert(
    fc.property(text, (text) => {
      checkProgram(parseProgram(new Source('test', text)).program)
    }),
    { numRuns: 300 },
  )
})
