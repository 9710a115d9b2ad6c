import { runProgram } from '../load/program.js'
import { parseFaultOptions } from './options.js'
import { reportText } from './report-text.js'
import { runFaults } from './run.js'

process.exitCode = await runProgram(process.argv.slice(2), parseFaultOptions, runFaults, reportText)
