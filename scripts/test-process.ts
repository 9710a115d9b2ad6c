/** Runs test files one after the other in this process, for run-tests.ts, which names them in MERLOT_TEST_FILES. */
import process from 'node:process'
import { pathToFileURL } from 'node:url'

const files = (process.env.MERLOT_TEST_FILES ?? '').split('\n')
const fileTimeoutMs = Number(process.env.TAP_TIMEOUT) * 1_000

// tap names the folders of tests after the program: another process must not use the same
process.argv = [process.argv[0], files[0]]
const { t } = await import('tap')

/** A file is loaded by a test of its name: those of the file come behind it, and the next file behind those. */
function begin([file, ...others]: readonly string[]): void {
  if (file === undefined) return
  void t.test(file, async (test) => {
    t.setTimeout(fileTimeoutMs) // of the process, which begins anew; the file may set it too
    await import(pathToFileURL(file).href)
    test.pass('is loaded')
    begin(others)
  })
}

begin(files)
