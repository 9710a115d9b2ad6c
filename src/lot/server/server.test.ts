import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import type { PublishDiagnosticsParams } from 'vscode-languageserver'
import {
  createProtocolConnection,
  type ProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node'
import { completionsAt } from './completion.js'
import { hoverAt } from './hover.js'
import { referencesAt } from './navigation.js'
import { symbolsOf } from './symbols.js'
import { Workspace } from './workspace.js'

const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url))

const MODELS = `DEFINE MODEL Base WITH TOPIC "b/+"
    ADD DOUBLE "pressure" WITH TOPIC "plant/+/pressure" AS TRIGGER
`
const ACTIONS = `DEFINE ACTION Alarm
ON TOPIC "plant/+/pressure" DO
    SET "limit" WITH GET TOPIC "plant/limit"
    IF PAYLOAD AS DOUBLE > {limit} THEN
        CALL ACTION Notify WITH text = {limit}
    PUBLISH MODEL Base TO "b/1" WITH pressure = {limt}

DEFINE ACTION Notify
INPUT text AS STRING
DO
    PUBLISH TOPIC "notes"   WITH {text}

DEFINE MODEL Child FROM Base COLLAPSED WITH TOPIC "c/+"
    ADD DOUBLE "twice" WITH pressure * 2
`

interface Editor {
  readonly connection: ProtocolConnection
  readonly uri: string
  readonly folder: string
  /** The next diagnostics of the document. */
  readonly diagnostics: () => Promise<PublishDiagnosticsParams>
  /** A place by what stands before it. */
  readonly after: (text: string) => object
  readonly close: () => Promise<number>
}

async function openEditor(t: Test, text = ACTIONS, initializationOptions = {}): Promise<Editor> {
  const folder = t.testdir({ 'models.lot': MODELS, node_modules: { 'other.lot': 'DEFINE MODEL Other\n' } })
  const child = spawn(process.execPath, [MAIN, 'lot', 'server', '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const connection = createProtocolConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  )
  connection.listen()
  const waiting: ((params: PublishDiagnosticsParams) => void)[] = []
  connection.onNotification('textDocument/publishDiagnostics', (params: PublishDiagnosticsParams) => {
    if (params.uri === uri) for (const resolve of waiting.splice(0)) resolve(params)
  })
  const uri = pathToFileURL(join(folder, 'actions.lot')).href
  const folders = [{ uri: pathToFileURL(folder).href, name: 'plant' }]
  await connection.sendRequest('initialize', {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
    initializationOptions,
    workspaceFolders: folders,
  })
  await connection.sendNotification('initialized', {})
  await connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'lot', version: 1, text },
  })
  return {
    connection,
    uri,
    folder,
    diagnostics: () => new Promise((resolve) => waiting.push(resolve)),
    after: (before) => {
      const lines = text.slice(0, text.indexOf(before) + before.length).split('\n')
      return { textDocument: { uri }, position: { line: lines.length - 1, character: lines.at(-1)!.length } }
    },
    close: async () => {
      await connection.sendRequest('shutdown')
      const exited = once(child, 'exit')
      await connection.sendNotification('exit')
      const [code] = await exited
      return code as number
    },
  }
}

t.test('diagnostics, with what stands in other files, and their correction', async (t) => {
  const editor = await openEditor(t)
  const { diagnostics } = await editor.diagnostics()
  t.match(diagnostics, [{ code: 'LOT3001', severity: 1, source: 'lot', range: { start: { line: 5, character: 48 } } }])
  t.equal(diagnostics.length, 1, 'the parent of Child is found in models.lot')
  const actions = await editor.connection.sendRequest('textDocument/codeAction', {
    textDocument: { uri: editor.uri },
    range: diagnostics[0].range,
    context: { diagnostics },
  })
  t.match(actions, [
    { title: /^Write .*limit/, kind: 'quickfix', edit: { changes: { [editor.uri]: [{ newText: /limit/ }] } } },
  ])
  const corrected = editor.diagnostics()
  await editor.connection.sendNotification('textDocument/didChange', {
    textDocument: { uri: editor.uri, version: 2 },
    contentChanges: [{ range: diagnostics[0].range, text: '{limit}' }],
  })
  t.same((await corrected).diagnostics, [])
  t.equal(await editor.close(), 0)
})

t.test('completion knows the place', async (t) => {
  const text = `${ACTIONS}
DEFINE ACTION New
ON TOPIC "plant/+/flow" DO
    SET "count" WITH {
    PUBLISH TOPIC "pla
    CALL ACTION N
    PUBLISH MODEL B
    X
`
  const editor = await openEditor(t, text)
  const complete = async (before: string): Promise<string[]> => {
    const items = await editor.connection.sendRequest<{ label: string }[]>(
      'textDocument/completion',
      editor.after(before),
    )
    return items.map(({ label }) => label)
  }
  t.same(await complete('SET "count" WITH {'), ['count'])
  const topics = await complete('PUBLISH TOPIC "pla')
  t.ok(topics.includes('plant/limit') && topics.includes('plant/+/flow') && topics.includes('b/+'))
  t.same((await complete('CALL ACTION N')).sort(), ['Alarm', 'New', 'Notify'])
  t.ok((await complete('PUBLISH MODEL B')).includes('Base'))
  const statements = await complete('\n    X')
  for (const word of ['SET', 'PUBLISH', 'IF', 'CALL', 'ELSE']) t.ok(statements.includes(word), word)
  t.ok((await complete('ADD DOUBLE "twice" WITH p')).includes('pressure'), 'a field of the parent')
  t.ok((await complete('\nON T')).includes('TOPIC'))
  t.same(await complete('SET "lim'), [])
  t.equal(await editor.close(), 0)
})

t.test('hover, definition, references and rename', async (t) => {
  const editor = await openEditor(t)
  const ask = <Answer>(method: string, before: string, more = {}): Promise<Answer> =>
    editor.connection.sendRequest<Answer>(`textDocument/${method}`, { ...editor.after(before), ...more })
  t.match(await ask('hover', '    CALL'), { contents: { value: /CALL ACTION Name/ } })
  t.match(await ask('hover', 'AS DOUBLE > {lim'), { contents: { value: /variable `limit`[\s\S]*SET "limit"/ } })
  t.match(await ask('hover', 'CALL ACTION Not'), { contents: { value: /action `Notify`[\s\S]*INPUT text AS STRING/ } })
  t.match(await ask('hover', 'pressure = {lim'), { contents: { value: /LOT3001/ } })
  t.match(await ask('definition', 'CALL ACTION Not'), [
    { uri: editor.uri, range: { start: { line: 7, character: 14 } } },
  ])
  t.match(await ask('definition', 'FROM Ba'), [{ uri: /models\.lot$/, range: { start: { line: 0, character: 13 } } }])
  t.match(await ask('definition', 'WITH pressu'), [
    { uri: /models\.lot$/, range: { start: { line: 1, character: 16 } } },
  ])
  const references = await ask<object[]>('references', 'INPUT te', { context: { includeDeclaration: false } })
  t.match(references, [{ range: { start: { line: 4 } } }, { range: { start: { line: 10 } } }])
  const renamed = await ask<{ changes: Record<string, object[]> }>('rename', 'WITH press', { newName: 'bar' })
  t.equal(renamed.changes[editor.uri].length, 2, 'in PUBLISH MODEL and in the child')
  t.match(Object.entries(renamed.changes).find(([uri]) => uri.endsWith('models.lot'))?.[1], [
    { range: { start: { line: 1, character: 16 }, end: { character: 24 } }, newText: 'bar' },
  ])
  await t.rejects(ask('rename', 'INPUT te', { newName: '1 2' }), /letters/)
  t.equal(await editor.close(), 0)
})

t.test('formatting and symbols', async (t) => {
  const editor = await openEditor(t, ACTIONS.replace('{limt}', '{limit}'))
  const document = { textDocument: { uri: editor.uri } }
  const edits = await editor.connection.sendRequest<{ newText: string }[]>('textDocument/formatting', {
    ...document,
    options: { tabSize: 4, insertSpaces: true },
  })
  t.match(edits, [{ range: { start: { line: 0, character: 0 } }, newText: /PUBLISH TOPIC "notes" WITH \{text\}/ }])
  t.match(await editor.connection.sendRequest('textDocument/documentSymbol', document), [
    { name: 'Alarm', detail: 'action' },
    { name: 'Notify', children: [{ name: 'text' }] },
    { name: 'Child', detail: 'model', children: [{ name: 'twice' }] },
  ])
  t.equal(await editor.close(), 0)
})

t.test('spellings of older brokers', async (t) => {
  const text = 'DEFINE ACTION "Old"\nON START DO\n    PUBLISH TOPIC "s" WITH 1\n'
  for (const [compat, count] of [
    ['v1', 0],
    ['v2', 1],
  ] as const) {
    const editor = await openEditor(t, text, { compat })
    t.equal((await editor.diagnostics()).diagnostics.length, count, compat)
    t.equal(await editor.close(), 0)
  }
})

t.test('nothing that is half written is too much for any question', async (t) => {
  const workspace = new Workspace()
  workspace.open('file:///models.lot', MODELS)
  for (let length = 0; length <= ACTIONS.length; length += 3) {
    workspace.open('file:///actions.lot', ACTIONS.slice(0, length))
    const document = workspace.get('file:///actions.lot')!
    completionsAt(document, length, workspace)
    hoverAt(document, length, workspace)
    referencesAt(document, length, workspace, true)
    symbolsOf(document)
    for (const { span, name } of document.occurrences) t.equal(document.source.text.slice(span.start, span.end), name)
  }
})
