import t from 'tap'
import { startCentre } from './centre.fixture.js'
import { deployEntity } from './deploy.js'
import { Draft, Library } from './library.js'

const BASE = 'DEFINE MODEL Base COLLAPSED\n    ADD STRING "site" WITH "north"\n'
const CHILD = 'DEFINE MODEL Child FROM Base WITH TOPIC "child"\n    ADD DOUBLE "level" WITH TOPIC "level" AS TRIGGER\n'
const REPORT = 'DEFINE ACTION Report\nON TOPIC "a" DO\n    PUBLISH MODEL Child TO "out" WITH\n        level = 1\n'
const CALLEE = 'DEFINE ACTION Double\nINPUT x AS INT\nDO\n    SET "y" WITH {x} * 2\nRETURN\n    OUTPUT y\n'
const CALLER =
  'DEFINE ACTION Caller\nON TOPIC "a" DO\n    CALL ACTION Double WITH x = 1 RETURN y\n    PUBLISH TOPIC "b" WITH {y}\n'
const OUTER =
  'DEFINE ACTION Outer\nON TOPIC "a" DO\n    CALL ACTION Inner\nDEFINE ACTION Inner\nDO\n    PUBLISH MODEL Late TO "x" WITH\n        a = 1\n'

t.test('an action waits for the model that it publishes', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  t.match(await send(`-addAction ${REPORT}`), {
    success: true,
    data: { pending: true, waitingFor: ["Model 'Child'"] },
    warnings: ["It waits for Model 'Child'"],
  })
  t.same(test.lot.names(), [])
  t.match(await send('-getPendingStatus'), {
    data: [{ type: 'Action', name: 'Report', waitingFor: ["Model 'Child'"] }],
  })
  t.match(await send('-listActions'), { data: [{ name: 'Report', status: 'pending' }] })
  t.match(await send('-runAction Report'), { success: false, message: "Action 'Report' waits for Model 'Child'" })
  t.match(await send('-lotDiagnostic action Report'), { data: { runtime: { status: 'pending' } } })
  await send(`-addModel ${BASE}`)
  await send(`-addModel ${CHILD}`)
  t.same(test.lot.names(), ['action/Report', 'model/Base', 'model/Child'])
  t.match(await send('-getPendingStatus'), { message: 'No pending models or actions.', data: [] })
  const removed = await send('-removeModel Child')
  t.match(removed, { success: true, warnings: ["Action 'Report' waits until 'Child' is there again"] })
  t.same(test.lot.names(), ['model/Base'])
})

t.test('what stands behind a comment is deployed too, and no entity is lost without a word', async (t) => {
  const { send, lot } = await startCentre(t)
  const text = `${CALLEE}/* the other one */ ${CALLEE.replace('Double', 'Twice')}`
  t.match(await send(`-addAction ${text}`), { success: true })
  t.same(lot.names(), ['action/Double', 'action/Twice'])
  const draft = new Draft(new Library())
  const options = { compat: 'v2', strictIndent: false, plainOutput: 'both' } as const
  t.match(deployEntity(draft, 'action', text, options), {
    success: false,
    message: /found action Twice behind Double \(7,/,
  })
  t.equal(draft.touched.length, 0)
})

t.test('a list tells who was stopped', async (t) => {
  const { send, lot } = await startCentre(t)
  await send(`-addAction ${CALLEE}`)
  await send('-addAction DEFINE ACTION Spin\nON START DO\n    PUBLISH TOPIC "x" WITH 1')
  lot.stopped.set('Spin', 'it ran longer than 900 ms')
  t.match(await send('-listActions'), {
    data: [
      { name: 'Double', status: 'active' },
      { name: 'Spin', status: 'stopped' },
    ],
  })
})

t.test('and for the action that it calls, also where that one waits', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  await send(`-addAction ${CALLER}`)
  t.same(test.lot.names(), [])
  await send(`-addAction ${CALLEE}`)
  t.same(test.lot.names(), ['action/Caller', 'action/Double'])
  await send(`-addAction ${OUTER}`)
  t.same(test.lot.names(), ['action/Caller', 'action/Double'])
  t.match(await send('-getPendingStatus'), {
    data: [
      { name: 'Inner', waitingFor: ["Model 'Late'"] },
      { name: 'Outer', waitingFor: ["Action 'Inner'"] },
    ],
  })
  await send('-addModel DEFINE MODEL Late\n    ADD INT "a"')
  t.same(test.lot.names(), ['action/Caller', 'action/Double', 'action/Inner', 'action/Outer', 'model/Late'])
})

t.test('actions that call one another do not wait for ever', async (t) => {
  const test = await startCentre(t)
  await test.send('-addAction DEFINE ACTION A\nDO\n    CALL ACTION B')
  await test.send('-addAction DEFINE ACTION B\nDO\n    CALL ACTION A')
  t.same(test.lot.names(), ['action/A', 'action/B'])
})

t.test('parents come first', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  t.match(await send(`-addModel ${CHILD}`), { success: false, message: /Base.*\(1,25\)/ })
  await send(`-addModel ${BASE}`)
  t.match(await send(`-addModel ${CHILD}`), { success: true })
  t.match(await send('-addModel DEFINE MODEL Base FROM Child\n    ADD "x" WITH 1'), { success: false })
  t.equal(test.retained.get('Models/Base'), BASE)
})

t.test('children keep the fields of a parent that goes, also over a restart', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  await send(`-addModel ${BASE}`)
  await send(`-addModel ${CHILD}`)
  t.match(await send('-removeModel Base'), {
    success: true,
    warnings: ["Model 'Child' keeps the fields that it has from 'Base'"],
  })
  t.same(test.lot.names(), ['model/Child'])
  const order: string[] = []
  test.lot.install = async (definitions) => {
    order.push(...definitions.map(({ name }) => `install ${name}`))
  }
  test.lot.remove = async (entities) => {
    order.push(...entities.map(({ name }) => `remove ${name}`))
  }
  await test.start()
  t.same(order, ['install Base', 'install Child', 'remove Base'])
})

t.test('rules: seeds, built-in ones, and what may be added', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  const rules = (await send('-listRules')).data as { name: string; priority: number; locked: boolean; scope: string }[]
  t.match(rules[0], { priority: 10, locked: true })
  t.same(
    rules.filter(({ locked }) => !locked).map(({ name, priority }) => [name, priority]),
    [
      ['AllowPublishTopic', 1_000_000],
      ['AllowSubscribeTopic', 1_000_000],
      ['AllowConnect', 1_000_000],
    ],
  )
  t.equal(test.retained.get('Config/Rules'), String(rules.length))
  t.match(test.retained.get('Rules/AllowPublishSysCommand'), /^DEFINE RULE AllowPublishSysCommand WITH PRIORITY 10 /)
  const rule = 'DEFINE RULE Line WITH PRIORITY 150 FOR Publish TO TOPIC "line/#"\n    DENY'
  t.match(await send(`-addRule ${rule}`), { success: true, message: "Rule 'Line' added successfully!", warnings: [] })
  const lockout = 'DEFINE RULE NoCon WITH PRIORITY 150 FOR Connect\n    DENY'
  t.match(await send(`-addRule ${lockout}`), {
    success: true,
    warnings: ['NoCon locks out everybody but root: nobody else can connect'],
  })
  await send('-removeRule NoCon')
  t.match(await send(`-addRule ${rule}`), { success: false, message: "A rule with the name 'Line' already exists" })
  t.match(await send(`-addRule ${rule.replace('Line', 'Low').replace('150', '15')}`), {
    success: false,
    message: /Priority 15 is reserved \(0-99\)/,
  })
  t.match(await send('-removeRule AllowPublishSysCommand'), { success: false, message: /cannot be removed/ })
  const closed = ['No rule for Publish allows anything: only root can publish']
  t.match(await send('-removeRule AllowPublishTopic'), { success: true, warnings: closed })
  const cleared = await send('-removeAllRules')
  t.match(cleared, { success: true, data: { removed: 1 } })
  t.same(cleared.warnings, [], 'what was so before is not said again')
  await send(`-addRule ${rule.replace('DENY', 'ALLOW')}`)
  t.match(await send('-removeAllRules'), { success: true, data: { removed: 1 }, warnings: closed })
  t.notOk(test.retained.has('Rules/Line'))
  t.ok(test.retained.has('Rules/AllowConnect'), 'the seeds stay')
  await test.start()
  t.notOk(test.retained.has('Rules/AllowPublishTopic'), 'who removes a seed does not get it back')
  t.match(await send('-restoreRules'), {
    data: { restored: ['AllowPublishTopic'] },
  })
  t.ok(test.retained.has('Rules/AllowPublishTopic'))
})

t.test('priorities below 100 as older brokers took them', async (t) => {
  const { send } = await startCentre(t, { compat: 'v1' })
  const answer = await send('-addRule DEFINE RULE Low WITH PRIORITY 15 FOR Publish TO TOPIC "line/#"\n    DENY')
  t.match(answer, { success: true })
  t.match(answer.warnings, [/Priority 15 is reserved/])
})

const PANEL =
  'DEFINE PANEL "East House"\n    WITH TITLE "East"\n    WITH STATE DRAFT\n\n    ADD COMPONENT "Mist" WITH TYPE "button"\n        SET LABEL "Mist now"\n        ON CLICK DO\n            PUBLISH TOPIC "mist" WITH 1\n'

t.test('panels and themes', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  t.match(await send(`-addPanel ${PANEL}`), { success: true, command: 'AddPanel', entityName: 'East House' })
  const shown = JSON.parse(test.retained.get('VoT/Panels/East House')!) as { source: string }
  t.match(shown, { name: 'East House', title: 'East', state: 'DRAFT', components: [{ name: 'Mist', type: 'button' }] })
  t.match(shown, { components: [{ settings: { label: 'Mist now' }, onClick: /PUBLISH TOPIC "mist" WITH 1/ }] })
  t.equal(shown.source, PANEL)
  t.equal(test.retained.get('Visus/East House'), test.retained.get('VoT/Panels/East House'))
  t.match(await send('-updateVisuState "East House" published'), { success: true, data: { state: 'PUBLISHED' } })
  test.retained.clear()
  t.match(await send('-listPanels'), { data: [{ name: 'East House', state: 'PUBLISHED' }] })
  t.ok(test.retained.has('VoT/Panels/East House'), 'published again')
  t.equal((await send('-panelCode "East House"')).data, PANEL.replace('DRAFT', 'PUBLISHED'))
  t.match(await send('-removeVisu "East House"'), { success: true, command: 'RemoveVisu' })
  t.same(test.retainedBelow('V'), [])
  const file = Buffer.from(PANEL).toString('base64')
  t.match(await send(`-addVisuFile lot64:${file}`), { success: true })
  t.match(await send('-addTheme DEFINE THEME "Night"\n    SET "PRIMARY" WITH "#101010"'), { success: true })
  t.match(JSON.parse(test.retained.get('VoT/Themes/Night')!), { colors: { PRIMARY: '#101010' } })
  t.match(await send('-listThemes'), { data: [{ name: 'Night' }] })
})

t.test('a panel without a state gets one', async (t) => {
  const { send } = await startCentre(t)
  await send('-addPanel DEFINE PANEL Plain\n    WITH TITLE "x"')
  t.match(await send('-updateVisuState Plain ARCHIVED'), { success: true })
  t.equal((await send('-panelCode Plain')).data, 'DEFINE PANEL Plain\n    WITH STATE ARCHIVED\n    WITH TITLE "x"')
  t.match(await send('-updateVisuState Plain nonsense'), { success: false })
})

t.test('descriptions of actions', async (t) => {
  const test = await startCentre(t)
  await test.send('-addAction DEFINE ACTION Open\nDO\n    PUBLISH TOPIC "a" WITH 1\nDESCRIPTION "Opens the gate"')
  t.equal(test.retained.get('Actions/Open/Description'), 'Opens the gate')
  await test.send('-addAction DEFINE ACTION Open\nDO\n    PUBLISH TOPIC "a" WITH 1')
  t.notOk(test.retained.has('Actions/Open/Description'))
})

t.test('routes are kept and not run', async (t) => {
  const test = await startCentre(t)
  const { send } = test
  const route =
    'DEFINE ROUTE History WITH TYPE POSTGRESQL\n    ADD SQL_CONFIG\n        WITH SERVER "db"\n        WITH PORT 5432\n        WITH DATABASE "plant"\n        WITH USERNAME "u"\n        WITH PASSWORD GET SECRET "P"\n'
  t.match(await send(`-addRoute ${route}`), { success: true, message: "Route 'History' added successfully!" })
  t.match(await send('-listRoutes'), { data: [{ name: 'History', type: 'POSTGRESQL', connection: 'Disconnected' }] })
  t.equal(test.retained.get('Routes/History'), route)
  t.match(await send('-checkRouteConnection History'), { success: false, data: { reachable: false } })
  t.match(await send('-listTemplates'), { data: [] })
})
