/** The language server: answers an editor about LoT, over the parser, checker and formatter of the broker. */
import type { Readable, Writable } from 'node:stream'
import type {
  CompletionItem,
  Connection,
  InitializeResult,
  TextDocumentPositionParams,
  TextEdit,
} from 'vscode-languageserver'
import { createConnection, TextDocumentSyncKind, TextDocuments } from 'vscode-languageserver/node'
import { TextDocument } from 'vscode-languageserver-textdocument'
import { formatProgram } from '../format/format.js'
import { completionsAt } from './completion.js'
import { hoverAt } from './hover.js'
import type { LotDocument } from './lot-document.js'
import { definitionsAt, referencesAt, renameAt } from './navigation.js'
import { correctionsIn, editorDiagnostic } from './problems.js'
import { symbolsOf } from './symbols.js'
import { Workspace } from './workspace.js'

/** Milliseconds without a change before diagnostics are sent. */
const DEBOUNCE_MS = 150

const CAPABILITIES: InitializeResult = {
  capabilities: {
    textDocumentSync: TextDocumentSyncKind.Incremental,
    completionProvider: { triggerCharacters: [' ', '"', '{', '/'] },
    hoverProvider: true,
    definitionProvider: true,
    referencesProvider: true,
    renameProvider: true,
    documentFormattingProvider: true,
    documentSymbolProvider: true,
    codeActionProvider: { codeActionKinds: ['quickfix'] },
  },
  serverInfo: { name: 'merlot-lot' },
}

/** Serves one editor; the process ends when the editor says so or closes the streams. */
export function serveEditor(input: Readable, output: Writable): void {
  const server = new LanguageServer(createConnection(input, output))
  server.listen()
}

class LanguageServer {
  readonly #workspace = new Workspace()
  readonly #documents = new TextDocuments(TextDocument)
  #folders: readonly string[] = []
  /** Done when the files of the folders are known: questions about names wait for that. */
  #reading: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined

  constructor(readonly connection: Connection) {}

  listen(): void {
    this.#followLifecycle()
    this.#followDocuments()
    this.#answerQuestions()
    this.#documents.listen(this.connection)
    this.connection.listen()
  }

  #followLifecycle(): void {
    this.connection.onInitialize(({ workspaceFolders, initializationOptions }) => {
      if ((initializationOptions as { compat?: unknown } | undefined)?.compat === 'v1') this.#workspace.compat = 'v1'
      this.#folders = workspaceFolders?.map(({ uri }) => uri) ?? []
      return CAPABILITIES
    })
    this.connection.onInitialized(async () => {
      this.#reading = this.#readFolders()
      await this.#reading
      this.#diagnoseSoon()
    })
    this.connection.onDidChangeWatchedFiles(async ({ changes }) => {
      for (const { uri } of changes) if (uri.endsWith('.lot')) await this.#workspace.readFile(uri)
      this.#diagnoseSoon()
    })
    this.connection.onShutdown(() => clearTimeout(this.#timer))
  }

  async #readFolders(): Promise<void> {
    for (const folder of this.#folders) await this.#workspace.addFolder(folder)
  }

  #followDocuments(): void {
    this.#documents.onDidChangeContent(({ document }) => {
      this.#workspace.open(document.uri, document.getText())
      this.#diagnoseSoon()
    })
    this.#documents.onDidClose(async ({ document: { uri } }) => {
      this.#workspace.close(uri)
      await this.connection.sendDiagnostics({ uri, diagnostics: [] })
      this.#diagnoseSoon()
    })
    this.#documents.onDidSave(({ document: { uri } }) => this.#workspace.readFile(uri))
  }

  #answerQuestions(): void {
    const { connection } = this
    const workspace = this.#workspace
    connection.onCompletion(async (at): Promise<CompletionItem[]> => (await this.#at(at, completionsAt)) ?? [])
    connection.onHover((at) => this.#at(at, hoverAt))
    connection.onDefinition((at) => this.#at(at, definitionsAt))
    connection.onReferences((at) =>
      this.#at(at, (document, offset) => referencesAt(document, offset, workspace, at.context.includeDeclaration)),
    )
    connection.onRenameRequest((at) =>
      this.#at(at, (document, offset) => renameAt(document, offset, workspace, at.newName)),
    )
    connection.onDocumentSymbol(({ textDocument }) => {
      const document = workspace.get(textDocument.uri)
      return document && symbolsOf(document)
    })
    connection.onDocumentFormatting(({ textDocument }) => formatted(workspace.get(textDocument.uri)))
    connection.onCodeAction(({ textDocument, range }) => {
      const document = workspace.get(textDocument.uri)
      return document && correctionsIn(document, workspace.diagnose(document), range)
    })
  }

  async #at<Answer>(
    { textDocument, position }: TextDocumentPositionParams,
    ask: (document: LotDocument, offset: number, workspace: Workspace) => Answer,
  ): Promise<Answer | undefined> {
    await this.#reading
    const document = this.#workspace.get(textDocument.uri)
    return document && ask(document, document.offsetAt(position), this.#workspace)
  }

  /** All open documents: what one of them defines may be missing in another. */
  #diagnoseSoon(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      for (const document of this.#workspace.openDocuments) {
        const diagnostics = this.#workspace.diagnose(document).map((one) => editorDiagnostic(document, one))
        const sent = this.connection.sendDiagnostics({ uri: document.uri, diagnostics })
        sent.catch(() => {}) // the editor is gone, and the process ends with it
      }
    }, DEBOUNCE_MS)
  }
}

/** A text with errors stays as it is: what cannot be read would be lost. */
function formatted(document: LotDocument | undefined): TextEdit[] {
  if (document === undefined) return []
  const { source, program, diagnostics } = document
  if (diagnostics.some(({ severity }) => severity === 'error') || program.entities.length === 0) return []
  const newText = formatProgram(source, program)
  return newText === source.text ? [] : [{ range: document.wholeRange, newText }]
}
