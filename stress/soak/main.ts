import { runProgram } from '../load/program.js'
import { parseSoakOptions } from './options.js'
import { runSoak } from './run.js'
import { verdictText } from './verdict.js'

process.exitCode = await runProgram(process.argv.slice(2), parseSoakOptions, runSoak, verdictText)
