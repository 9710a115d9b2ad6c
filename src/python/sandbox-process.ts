/**
 * The process that runs Python: frames come through standard input and go through standard output, one after the other.
 * Argument: JSON of `SandboxArguments`.
 */
import fs from 'node:fs'
import { type Frame, FrameReader, FromSandboxKind, frameOf, ToSandboxKind, textOf } from './frames.js'
import { Interpreter } from './interpreter.js'
import { lockDown } from './lockdown.js'

export interface SandboxArguments {
  /** Folder of pyodide's files, with a separator at its end. */
  readonly pyodide: string
  /** Path; undefined makes a new snapshot and sends it. */
  readonly snapshot: string | undefined
  readonly memoryBytesMax: number
  readonly callMsMax: number
  readonly extraModules: readonly string[]
}

// taken now: the lockdown replaces what the module exports
const { readFileSync, readSync, writeSync } = fs

const INPUT = 0
const OUTPUT = 1
const ERRORS = 2
const CHUNK_BYTES = 262_144

async function main(): Promise<void> {
  const interpreter = await start(JSON.parse(process.argv[2]) as SandboxArguments)
  lockDown()
  write(frameOf(FromSandboxKind.READY, 0, ''))
  serve(interpreter)
}

/** Apart from `main`, which lasts: the snapshot is not to be kept in memory. */
async function start(given: SandboxArguments): Promise<Interpreter> {
  const snapshot = given.snapshot === undefined ? undefined : readFileSync(given.snapshot)
  return Interpreter.start({ ...given, snapshot }, (made) => write(frameOf(FromSandboxKind.SNAPSHOT, 0, made)))
}

/** Until the broker closes the pipe. Blocks: there is nothing else to do in this process. */
function serve(interpreter: Interpreter): void {
  const reader = new FrameReader()
  const chunk = new Uint8Array(CHUNK_BYTES)
  for (;;) {
    const bytes = readSync(INPUT, chunk)
    if (bytes === 0) return
    // each is answered before the next begins: if this process is killed, the broker knows which one it was at
    reader.push(chunk.subarray(0, bytes), (frame) => write(answerTo(interpreter, frame)))
  }
}

function answerTo(interpreter: Interpreter, frame: Frame): Uint8Array {
  const [script, answered] = perform(interpreter, frame.kind, textOf(frame))
  const lineEnd = answered.indexOf('\n')
  const bodyStart = lineEnd + 1 + Number(answered.slice(1, lineEnd))
  const kind = answered.startsWith('+') ? FromSandboxKind.RESULT : FromSandboxKind.FAILURE
  const answer = frameOf(kind, frame.id, answered.slice(bodyStart))
  if (bodyStart === lineEnd + 1) return answer
  const printed = `${script}\n${answered.slice(lineEnd + 1, bodyStart)}`
  return Buffer.concat([frameOf(FromSandboxKind.PRINTED, frame.id, printed), answer])
}

/** @returns the script's name and the answer of the guard */
function perform(interpreter: Interpreter, kind: number, text: string): [string, string] {
  switch (kind) {
    case ToSandboxKind.CALL: {
      const targetEnd = text.indexOf('\n')
      const target = text.slice(0, targetEnd)
      return [target.split('.', 1)[0], interpreter.call(target, text.slice(targetEnd + 1))]
    }
    case ToSandboxKind.ADD: {
      const [name, source, isKept] = JSON.parse(text) as [string, string, boolean]
      return [name, interpreter.add(name, source, isKept)]
    }
    case ToSandboxKind.REMOVE:
      return [text, interpreter.remove(text)]
    case ToSandboxKind.INSTALL:
      return ['', interpreter.install(text)]
    case ToSandboxKind.UNINSTALL:
      return ['', interpreter.uninstall(text)]
    default:
      throw new Error(`a frame of kind ${kind}`)
  }
}

function write(bytes: Uint8Array): void {
  let at = 0
  while (at < bytes.length) at += writeSync(OUTPUT, bytes, at)
}

main().catch((thrown: unknown) => {
  // the broker reads the first kilobytes of it
  writeSync(ERRORS, `${thrown instanceof Error ? thrown.stack : String(thrown)}\n`)
  process.exitCode = 1
})
