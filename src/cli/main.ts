#!/usr/bin/env node
/** The program `merlot`: runs a command and ends the process with its exit code. */
import process from 'node:process'
import { systemCode } from '../base/system-error.js'
import { runCommandLine } from './run.js'

/** A reader that goes away is no error of ours; the broker goes on, and `sub` looks for itself. */
function ignoreBrokenPipe(error: unknown): void {
  if (systemCode(error) !== 'EPIPE') throw error
}

process.stdout.on('error', ignoreBrokenPipe)
process.stderr.on('error', () => {})
const exitCode = await runCommandLine(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  workingDirectory: process.cwd(),
})
process.stdout.write('', () => process.exit(exitCode))
