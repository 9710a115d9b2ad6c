import { parseLoadOptions } from './options.js'
import { runProgram } from './program.js'
import { reportText } from './report-text.js'
import { runLoad } from './run.js'

process.exitCode = await runProgram(process.argv.slice(2), parseLoadOptions, runLoad, reportText)
