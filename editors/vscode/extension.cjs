'use strict'
const { workspace } = require('vscode')
const { LanguageClient, TransportKind } = require('vscode-languageclient/node')

let client

exports.activate = () => {
  const settings = workspace.getConfiguration('lot')
  const server = { command: settings.get('command'), args: ['lot', 'server'], transport: TransportKind.stdio }
  client = new LanguageClient('lot', 'LoT', server, {
    documentSelector: [{ language: 'lot' }],
    initializationOptions: { compat: settings.get('compat') },
    synchronize: { fileEvents: workspace.createFileSystemWatcher('**/*.lot') },
  })
  return client.start()
}

exports.deactivate = () => client?.stop()
