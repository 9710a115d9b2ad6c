/** Sections 5, 7 and 10: rules, panels and themes as commands add and remove them. */
import t, { type Test } from 'tap'
import { LotBroker } from './lot-broker.fixture.js'
import { type LotUser, retained } from './lot-user.fixture.js'

t.setTimeout(300_000)

let broker: LotBroker
let user: LotUser

t.before(async () => {
  broker = await LotBroker.start(t)
  user = await broker.connect()
})

function test(name: string, body: (t: Test) => Promise<void>): void {
  t.test(name, { timeout: 90_000 }, body)
}

test('rules', async (t) => {
  const rule =
    'DEFINE RULE NoPaint WITH PRIORITY 150 FOR Publish TO TOPIC "paint/#"\n    IF USER IS "root" THEN\n        ALLOW\n    ELSE\n        DENY'
  t.match(await user.succeed(`-addRule ${rule}`), { entityType: 'Rule', entityName: 'NoPaint' })
  t.match(await user.command(`-addRule ${rule}`), {
    success: false,
    message: "A rule with the name 'NoPaint' already exists",
  })
  t.match(await user.command('-addRule DEFINE RULE Low WITH PRIORITY 50 FOR Connect\n    ALLOW'), {
    success: false,
    message: /Priority 50 is reserved \(0-99\)/,
  })
  const listed = (await user.succeed('-listRules')).data as {
    name: string
    priority: number
    scope: string
    locked: boolean
  }[]
  t.match(
    listed.find(({ name }) => name === 'NoPaint'),
    { priority: 150, scope: 'Publish', locked: false, topic: 'paint/#' },
  )
  for (const name of ['AllowUserCreation', 'AllowSubscribeSysClient', 'AllowPublishSysCommand']) {
    t.match(
      listed.find((entry) => entry.name === name),
      { priority: 10, locked: true },
      name,
    )
    t.match(await user.command(`-removeRule ${name}`), { success: false })
    t.match(await retained(broker, `$SYS/Coreflux/Rules/${name}`), new RegExp(`DEFINE RULE ${name}`))
  }
  await user.succeed('-removeRule AllowConnect')
  t.equal(await retained(broker, '$SYS/Coreflux/Rules/AllowConnect'), undefined)
  await user.succeed('-restoreRules')
  const again = (await user.succeed('-listRules')).data as { name: string; priority: number }[]
  for (const name of ['AllowConnect', 'AllowPublishTopic', 'AllowSubscribeTopic']) {
    t.equal(again.find((entry) => entry.name === name)?.priority, 1_000_000)
  }
  await user.succeed('-removeAllRules')
  const kept = (await user.succeed('-listRules')).data as { name: string }[]
  t.notOk(kept.some(({ name }) => name === 'NoPaint'))
  t.ok(
    kept.some(({ name }) => name === 'AllowConnect'),
    'those that the broker came with stay',
  )
  await user.succeed('-addRule DEFINE RULE All WITH PRIORITY 200 FOR CommandCall\n    ALLOW')
  t.equal((await user.command('-addRule DEFINE RULE Odd WITH PRIORITY 200 FOR Nonsense\n    ALLOW')).success, false)
})

test('panels and themes', async (t) => {
  const panel = [
    'DEFINE PANEL "Greenhouse East"',
    '    WITH TITLE "East house"',
    '    WITH LAYOUT "grid" COLUMNS 2',
    '    WITH VISIBILITY SHARED',
    '    WITH SHARE TO GROUP "growers"',
    '    WITH STATE PUBLISHED',
    '',
    '    ADD COMPONENT "Humidity" WITH TYPE "gauge"',
    '        SET LABEL "Humidity"  SET UNIT "%"',
    '        SET RANGE FROM 0 TO 100',
    '        BIND VALUE TO TOPIC "house/east/humidity"',
    '',
    '    ADD COMPONENT "Mist" WITH TYPE "button"',
    '        SET LABEL "Mist now"',
    '        WITH INTERACT FOR GROUP "growers"',
    '        ON CLICK DO',
    '            PUBLISH TOPIC "house/east/mist" WITH 1',
  ].join('\n')
  await user.succeed(`-addVisu ${panel}`)
  for (const topic of ['VoT/Panels', 'Visus']) {
    const text = await retained(broker, `$SYS/Coreflux/${topic}/Greenhouse East`)
    t.match(JSON.parse(text ?? 'null'), {
      name: 'Greenhouse East',
      title: 'East house',
      state: 'PUBLISHED',
      visibility: 'SHARED',
      groups: ['growers'],
      layout: { type: 'grid', columns: 2 },
      components: [{ name: 'Humidity' }, { name: 'Mist' }],
      source: /^DEFINE PANEL/,
    })
  }
  t.match(await user.succeed('-listPanels'), { data: [{ name: 'Greenhouse East', state: 'PUBLISHED' }] })
  t.match(JSON.stringify((await user.succeed('-panelCode "Greenhouse East"')).data), /DEFINE PANEL/)
  await user.succeed('-updateVisuState "Greenhouse East" ARCHIVED')
  t.match(await user.succeed('-listPanels'), { data: [{ state: 'ARCHIVED' }] })
  const coded = Buffer.from(panel.replace('Greenhouse East', 'From file')).toString('base64')
  await user.succeed(`-addVisuFile lot64:${coded}`)
  t.ok(await retained(broker, '$SYS/Coreflux/VoT/Panels/From file'))
  await user.succeed('-removePanel "From file"')
  await user.succeed('-removeVisu "Greenhouse East"')
  t.equal(await retained(broker, '$SYS/Coreflux/VoT/Panels/Greenhouse East'), undefined)
  await user.succeed('-addTheme DEFINE THEME "Night"\n    SET "PRIMARY" WITH "#102030"')
  t.match(await retained(broker, '$SYS/Coreflux/VoT/Themes/Night'), /#102030/)
  t.match((await user.succeed('-listThemes')).data, [{ name: 'Night' }])
  await user.succeed('-removeAllThemes')
  t.equal(await retained(broker, '$SYS/Coreflux/VoT/Themes/Night'), undefined)
  for (const bad of [
    'DEFINE PANEL "P"\n    ADD COMPONENT "c" TYPE "gauge"\n        SET LABEL "x"',
    'DEFINE PANEL "P"\n    ADD COMPONENT "c" WITH TYPE "form"\n        SET LABEL "x"',
    'DEFINE PANEL "P"\n    ADD COMPONENT "c" WITH TYPE "button"\n        ON CLICK DO PUBLISH TOPIC "a" WITH 1',
    'DEFINE PANEL "P"\n    WITH VISIBILITY PRIVATE\n    WITH SHARE TO GROUP "g"',
  ]) {
    t.match(await user.command(`-addPanel ${bad}`), { success: false, message: /Parsing error/ }, bad)
  }
})
