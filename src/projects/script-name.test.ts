import t from 'tap'
import { scriptNameOf } from './script-name.js'

t.test('the name of a script is in one of its first lines', async (t) => {
  t.equal(scriptNameOf('# Script Name: Scale\ndef f(): pass'), 'Scale')
  t.equal(scriptNameOf('\uFEFF\r\n  #script name:Scale_2  \r\n'), 'Scale_2')
  t.equal(scriptNameOf('# @name Old\n'), 'Old')
  t.equal(scriptNameOf(`${'#\n'.repeat(9)}# Script Name: Tenth`), 'Tenth')
  t.equal(scriptNameOf(`${'#\n'.repeat(10)}# Script Name: Eleventh`), undefined)
  t.equal(scriptNameOf('# Script Name: two words'), undefined)
  t.equal(scriptNameOf('# Script Name: 2nd'), undefined)
  t.equal(scriptNameOf('x = "# Script Name: X"'), undefined)
})
