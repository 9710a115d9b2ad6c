/** Errors in actions and in values of any kind (LOT30xx). */
import type { CatalogueEntry } from '../diagnostic-catalogue.js'

export const ACTION_CATALOGUE = {
  LOT3001: {
    severity: 'error',
    title: 'unknown variable',
    explanation:
      'Nothing in the action gives the variable a value: no `SET`, no `INPUT`, no `RETURN` of a call.\nNames are case-sensitive. A variable that is set in one branch only is known everywhere.',
    wrong:
      'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    SET "level" WITH PAYLOAD AS DOUBLE\n    PUBLISH TOPIC "out" WITH {levl} * 2',
    right:
      'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    SET "level" WITH PAYLOAD AS DOUBLE\n    PUBLISH TOPIC "out" WITH {level} * 2',
  },
  LOT3002: {
    severity: 'error',
    title: 'PAYLOAD without a message',
    explanation:
      'Only `ON TOPIC` and `ON CHANGE` bring a message. Timers, `ON START` and sessions have none.\nRead the last value of a topic with `GET TOPIC`.',
    wrong: 'DEFINE ACTION Example\nON EVERY 10 SECONDS DO\n    PUBLISH TOPIC "out" WITH PAYLOAD',
    right: 'DEFINE ACTION Example\nON EVERY 10 SECONDS DO\n    PUBLISH TOPIC "out" WITH GET TOPIC "tank/1/level"',
  },
  LOT3003: {
    severity: 'error',
    title: 'TOPIC POSITION without a topic',
    explanation: 'Only `ON TOPIC` and `ON CHANGE` have a topic whose levels can be asked for.',
    wrong: 'DEFINE ACTION Example\nON START DO\n    PUBLISH TOPIC "out" WITH TOPIC POSITION 2',
    right: 'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    PUBLISH TOPIC "out" WITH TOPIC POSITION 2',
  },
  LOT3005: {
    severity: 'error',
    title: 'wrong number of results',
    explanation: 'After `RETURN` stands one name for each `OUTPUT` of the action that is called, in their order.',
    wrong:
      'DEFINE ACTION Scale\nINPUT raw AS INT\nDO\n    SET "scaled" WITH {raw} / 10\nRETURN\n    OUTPUT scaled\n\nDEFINE ACTION Example\nON START DO\n    CALL ACTION Scale WITH raw = 5 RETURN a, b',
    right:
      'DEFINE ACTION Scale\nINPUT raw AS INT\nDO\n    SET "scaled" WITH {raw} / 10\nRETURN\n    OUTPUT scaled\n\nDEFINE ACTION Example\nON START DO\n    CALL ACTION Scale WITH raw = 5 RETURN a',
  },
  LOT3006: {
    severity: 'error',
    title: 'unknown input',
    explanation: 'The action that is called has no `INPUT` of this name.',
    wrong:
      'DEFINE ACTION Scale\nINPUT raw AS INT\nDO\n    SET "scaled" WITH {raw} / 10\nRETURN\n    OUTPUT scaled\n\nDEFINE ACTION Example\nON START DO\n    CALL ACTION Scale WITH row = 5 RETURN a',
    right:
      'DEFINE ACTION Scale\nINPUT raw AS INT\nDO\n    SET "scaled" WITH {raw} / 10\nRETURN\n    OUTPUT scaled\n\nDEFINE ACTION Example\nON START DO\n    CALL ACTION Scale WITH raw = 5 RETURN a',
  },
  LOT3007: {
    severity: 'error',
    title: 'Python target',
    explanation: 'A function is named `"Script.function"`: script and function with one point between them.',
    wrong: 'DEFINE ACTION Example\nON START DO\n    CALL PYTHON "average" WITH (1, 2) RETURN AS {mean}',
    right: 'DEFINE ACTION Example\nON START DO\n    CALL PYTHON "Statistics.average" WITH (1, 2) RETURN AS {mean}',
  },
  LOT3008: {
    severity: 'error',
    title: 'unknown Python function',
    explanation: 'The script is deployed, but has no function of this name at its top level.',
    wrong: 'DEFINE ACTION Example\nON START DO\n    CALL PYTHON "Statistics.averge" WITH (1, 2) RETURN AS {mean}',
    right: 'DEFINE ACTION Example\nON START DO\n    CALL PYTHON "Statistics.average" WITH (1, 2) RETURN AS {mean}',
  },
  LOT3009: {
    severity: 'error',
    title: 'MCP target',
    explanation: 'A tool is named `"Route.tool"`: route and tool in one string.',
    wrong: 'DEFINE ACTION Example\nON START DO\n    CALL MCP "search" WITH (text = "pump") RETURN AS {found}',
    right: 'DEFINE ACTION Example\nON START DO\n    CALL MCP "Manuals.search" WITH (text = "pump") RETURN AS {found}',
  },
  LOT3010: {
    severity: 'error',
    title: 'unknown field of a model',
    explanation: '`PUBLISH MODEL` assigns fields that the model or its parents declare.',
    wrong:
      'DEFINE MODEL Reading COLLAPSED\n    ADD STRING "sensor"\n    ADD DOUBLE "value"\n\nDEFINE ACTION Example\nON START DO\n    PUBLISH MODEL Reading TO "out" WITH senser = "t1", value = 5',
    right:
      'DEFINE MODEL Reading COLLAPSED\n    ADD STRING "sensor"\n    ADD DOUBLE "value"\n\nDEFINE ACTION Example\nON START DO\n    PUBLISH MODEL Reading TO "out" WITH sensor = "t1", value = 5',
  },
  LOT3011: {
    severity: 'error',
    title: 'wildcard in a topic',
    explanation:
      '`#` never stands for one topic. `+` takes what the `+` of the trigger stood for, in order, so there cannot be more of them than in the trigger.',
    wrong: 'DEFINE ACTION Example\nON TOPIC "raw/+" DO\n    PUBLISH TOPIC "clean/+/+" WITH PAYLOAD',
    right: 'DEFINE ACTION Example\nON TOPIC "raw/+" DO\n    PUBLISH TOPIC "clean/+" WITH PAYLOAD',
  },
  LOT3012: {
    severity: 'error',
    title: 'invalid topic filter',
    explanation:
      'In a topic filter `+` stands for one level and `#` for all levels from there on. Both are levels of their own, and `#` is the last.',
    wrong: 'DEFINE ACTION Example\nON TOPIC "tank/#/level" DO\n    PUBLISH TOPIC "out" WITH PAYLOAD',
    right: 'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    PUBLISH TOPIC "out" WITH PAYLOAD',
  },
  LOT3013: {
    severity: 'error',
    title: 'invalid topic',
    explanation: 'MQTT has no empty topic, none with a NUL character and none above 65,535 bytes.',
    wrong: 'DEFINE ACTION Example\nON START DO\n    PUBLISH TOPIC "" WITH 1',
    right: 'DEFINE ACTION Example\nON START DO\n    PUBLISH TOPIC "out" WITH 1',
  },
  LOT3014: {
    severity: 'error',
    title: 'unusable regular expression',
    explanation:
      'The pattern is not well-formed, or uses something that this broker does not have, such as atomic groups.',
    wrong:
      'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    PUBLISH TOPIC "out" WITH FILTER PAYLOAD USING REGEX "(\\d+"',
    right:
      'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    PUBLISH TOPIC "out" WITH FILTER PAYLOAD USING REGEX "(\\d+)"',
  },
  LOT3015: {
    severity: 'error',
    title: 'JSON path',
    explanation:
      'A path is keys with points between them; an array takes a position, from 0: `items.0.id` or `items[0].id`.',
    wrong: 'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    SET "id" WITH GET JSON "$.items[0]..id" IN PAYLOAD',
    right: 'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    SET "id" WITH GET JSON "items[0].id" IN PAYLOAD',
  },
  LOT3016: {
    severity: 'error',
    title: 'OUTPUT without a value',
    explanation: 'Nothing in the action sets the variable that it is to return.',
    wrong: 'DEFINE ACTION Example\nINPUT raw AS INT\nDO\n    SET "scaled" WITH {raw} / 10\nRETURN\n    OUTPUT result',
    right: 'DEFINE ACTION Example\nINPUT raw AS INT\nDO\n    SET "scaled" WITH {raw} / 10\nRETURN\n    OUTPUT scaled',
  },
  LOT3017: {
    severity: 'error',
    title: 'time of a trigger',
    explanation:
      '`ON EVERY day AT` takes `"HH:mm"` or `"HH:mm:ss"`; `ON TIMESTAMP` takes that or `"dd-MM-yyyy HH:mm:ss"`.',
    wrong: 'DEFINE ACTION Example\nON EVERY MONDAY AT "6:00 am" DO\n    PUBLISH TOPIC "out" WITH 1',
    right: 'DEFINE ACTION Example\nON EVERY MONDAY AT "06:00" DO\n    PUBLISH TOPIC "out" WITH 1',
  },
  LOT3018: {
    severity: 'error',
    title: 'name given twice',
    explanation: 'Each `INPUT` and each `OUTPUT` of an action has a name of its own.',
    wrong: 'DEFINE ACTION Example\nINPUT raw AS INT\nINPUT raw AS DOUBLE\nDO\n    PUBLISH TOPIC "out" WITH {raw}',
    right:
      'DEFINE ACTION Example\nINPUT raw AS INT\nINPUT span AS DOUBLE\nDO\n    PUBLISH TOPIC "out" WITH {raw} * {span}',
  },
  LOT3019: {
    severity: 'error',
    title: 'entity defined twice',
    explanation: 'Two entities of one kind have the same name; the second would replace the first.',
    wrong:
      'DEFINE THEME "Night"\n    SET "PRIMARY" WITH "#101010"\n\nDEFINE THEME "Night"\n    SET "PRIMARY" WITH "#202020"',
    right:
      'DEFINE THEME "Night"\n    SET "PRIMARY" WITH "#101010"\n\nDEFINE THEME "Dusk"\n    SET "PRIMARY" WITH "#202020"',
  },
  LOT3020: {
    severity: 'error',
    title: 'unknown event or mapping',
    explanation: 'The route is known, but has no event or mapping of this name.',
    wrong:
      'DEFINE ROUTE Mail WITH TYPE EMAIL\n    ADD SMTP_CONFIG\n        WITH SERVER "mail.example"\n    ADD EVENT Alarm\n        WITH SUBJECT "Alarm"\n\nDEFINE ACTION Example\nON START DO\n    TRIGGER "Alarn" TO Mail WITH "too hot"',
    right:
      'DEFINE ROUTE Mail WITH TYPE EMAIL\n    ADD SMTP_CONFIG\n        WITH SERVER "mail.example"\n    ADD EVENT Alarm\n        WITH SUBJECT "Alarm"\n\nDEFINE ACTION Example\nON START DO\n    TRIGGER "Alarm" TO Mail WITH "too hot"',
  },
  LOT3021: {
    severity: 'error',
    title: 'empty range',
    explanation: 'After `BETWEEN` the smaller number stands first.',
    wrong: 'DEFINE ACTION Example\nON START DO\n    SET "die" WITH RANDOM INT BETWEEN 6 AND 1',
    right: 'DEFINE ACTION Example\nON START DO\n    SET "die" WITH RANDOM INT BETWEEN 1 AND 6',
  },
} as const satisfies Record<string, CatalogueEntry>
