/** Diagnostics of the parser about the forms of entities, and about forms that LoT does not have (LOT2xxx). */
import type { CatalogueEntry } from '../diagnostic-catalogue.js'

export const FORM_CATALOGUE = {
  LOT2008: {
    severity: 'error',
    title: 'trigger indented',
    explanation: 'The line with ON stands at the column of DEFINE.',
    wrong: 'DEFINE ACTION Tick\n    ON EVERY 5 SECONDS DO',
    right: 'DEFINE ACTION Tick\nON EVERY 5 SECONDS DO',
  },
  LOT2010: {
    severity: 'error',
    title: 'name in quotes',
    explanation:
      'Actions, models, routes, rules and parents have bare names. Texts of version 1 quote them; `compat` = `v1` accepts that.',
    wrong: 'DEFINE ACTION "Tick"',
    right: 'DEFINE ACTION Tick',
  },
  LOT2011: {
    severity: 'error',
    title: 'time unit missing',
    explanation: 'An interval is a whole number and a unit, from MILLISECONDS to YEARS.',
    wrong: 'ON EVERY 10 DO',
    right: 'ON EVERY 10 SECONDS DO',
  },
  LOT2014: {
    severity: 'error',
    title: 'WHILE',
    explanation:
      'LoT has one loop, which tests at its end. Its body runs at least once: put an IF around it if that is wrong.',
    wrong: 'WHILE {n} < 5 DO',
    right: 'LOOP\n    SET "n" WITH {n} + 1\nUNTIL {n} >= 5',
  },
  LOT2016: {
    severity: 'error',
    title: 'DEFINE THING',
    explanation:
      'Things are planned in old documents and exist in notebooks only.\nDescribe the data with a model, the behaviour with actions.',
    wrong: 'DEFINE THING Press',
    right: 'DEFINE MODEL Press WITH TOPIC "press/state"',
  },
  LOT2017: {
    severity: 'error',
    title: 'planned clause of a model',
    explanation:
      'VALIDATE and ON VALIDATION_FAILURE were planned for models and never made.\nCheck values in an action, with IF.',
    wrong: 'VALIDATE temp BETWEEN 0 AND 100',
    right: 'IF {temp} < 0 OR {temp} > 100 THEN',
  },
  LOT2018: {
    severity: 'error',
    title: 'END',
    explanation: 'Blocks end where their indentation ends; there is no word for it.\nDelete the line.',
    wrong: 'IF {a} THEN\n    SET "b" WITH 1\nEND IF',
    right: 'IF {a} THEN\n    SET "b" WITH 1',
  },
  LOT2019: {
    severity: 'error',
    title: 'action without trigger',
    explanation:
      'An action says when it runs (`ON … DO`), or what it takes (`INPUT …`), or has at least `DO`, to be called.',
    wrong: 'DEFINE ACTION Tick\n    PUBLISH TOPIC "tick" WITH 1',
    right: 'DEFINE ACTION Tick\nON EVERY 1 SECOND DO\n    PUBLISH TOPIC "tick" WITH 1',
  },
  LOT2020: {
    severity: 'error',
    title: 'RETURN and OUTPUT on one line',
    explanation: 'Each OUTPUT stands on a line of its own, indented below RETURN.',
    wrong: 'RETURN OUTPUT total',
    right: 'RETURN\n    OUTPUT total',
  },
  LOT2021: {
    severity: 'error',
    title: 'CALL MCP with TOOL',
    explanation: 'Route and tool are one string with a dot between them.',
    wrong: 'CALL MCP "Files" TOOL "read" WITH (path = {p})',
    right: 'CALL MCP "Files.read" WITH (path = {p})',
  },
  LOT2022: {
    severity: 'error',
    title: 'route without type',
    explanation: 'Behind the name of a route stands `WITH TYPE` and one of the types that `-listTemplates` shows.',
    wrong: 'DEFINE ROUTE Historian',
    right: 'DEFINE ROUTE Historian WITH TYPE POSTGRESQL',
  },
  LOT2023: {
    severity: 'error',
    title: 'unexpected word after WITH',
    explanation: 'It is `WITH FORMAT`, a plain `COLLAPSED`, and a field has its value directly behind WITH.',
    wrong: 'ADD INT "limit" WITH VALUE 5',
    right: 'ADD INT "limit" WITH 5',
  },
  LOT2024: {
    severity: 'error',
    title: 'METADATA in a route',
    explanation: 'Templates carry a block METADATA; a route that is deployed does not. Delete the block.',
    wrong: 'ADD METADATA\n    WITH VERSION "1"',
    right: 'ADD SQL_CONFIG\n    WITH SERVER "db"',
  },
  LOT2025: {
    severity: 'error',
    title: 'TAG outside of MAPPING',
    explanation: 'Tags are read at the interval of their mapping. Indent them below `ADD MAPPING`.',
    wrong: 'ADD TAG "Speed"\n    WITH ADDRESS "40001"',
    right: 'ADD MAPPING "Press"\n    WITH EVERY 1 SECOND\n    ADD TAG "Speed"\n        WITH ADDRESS "40001"',
  },
  LOT2029: {
    severity: 'error',
    title: 'text outside of an entity',
    explanation:
      'A text is a row of entities, and each begins with DEFINE in the first column.\nRemove the indentation, or the line.',
    wrong: 'PUBLISH TOPIC "a" WITH 1',
    right: 'DEFINE ACTION Once\nON START DO\n    PUBLISH TOPIC "a" WITH 1',
  },
  LOT2037: {
    severity: 'error',
    title: 'trigger and call mixed',
    explanation:
      'An action with a trigger takes no inputs and returns nothing; one that is called has no trigger.\nPut what both need into a callable action.',
    wrong: 'DEFINE ACTION A\nON START DO\n    SET "x" WITH 1\nRETURN\n    OUTPUT x',
    right: 'DEFINE ACTION A\nDO\n    SET "x" WITH 1\nRETURN\n    OUTPUT x',
  },
  LOT2038: {
    severity: 'error',
    title: 'interval of 0',
    explanation: 'An interval has at least one unit.',
    wrong: 'ON EVERY 0 SECONDS DO',
    right: 'ON EVERY 1 SECOND DO',
  },
  LOT2039: {
    severity: 'error',
    title: 'DO missing',
    explanation: 'Trigger, inputs and ON CLICK end with DO, on the same line or on its own.',
    wrong: 'ON TOPIC "a"\n    SET "b" WITH PAYLOAD',
    right: 'ON TOPIC "a" DO\n    SET "b" WITH PAYLOAD',
  },
  LOT2040: {
    severity: 'error',
    title: 'format not supported',
    explanation: 'Models are published as JSON. Nothing is specified about their form in PROTOBUF.',
    wrong: 'DEFINE MODEL M WITH FORMAT PROTOBUF',
    right: 'DEFINE MODEL M WITH FORMAT JSON',
  },
  LOT2041: {
    severity: 'error',
    title: 'rule FOR TOPIC',
    explanation: 'FOR names a scope (Publish, Subscribe, Connect, …), TO TOPIC the topic.',
    wrong: 'DEFINE RULE R WITH PRIORITY 150 FOR TOPIC "a/#"',
    right: 'DEFINE RULE R WITH PRIORITY 150 FOR Publish TO TOPIC "a/#"',
  },
  LOT2042: {
    severity: 'error',
    title: 'rule with several bodies',
    explanation: 'A rule has one verdict or one IF. Write a rule for each decision, and order them by priority.',
    wrong: 'DEFINE RULE R WITH PRIORITY 150 FOR Connect\n    ALLOW\n    DENY',
    right: 'DEFINE RULE R WITH PRIORITY 150 FOR Connect\n    ALLOW',
  },
  LOT2043: {
    severity: 'error',
    title: 'verdict with an operand',
    explanation: 'ALLOW and DENY stand alone; what they are about is in the header.',
    wrong: 'ALLOW Publish',
    right: 'ALLOW',
  },
  LOT2044: {
    severity: 'error',
    title: 'statement behind ON CLICK DO',
    explanation:
      'The statements of a component stand on lines of their own, indented below ON CLICK DO; other brokers ignore them elsewhere.',
    wrong: 'ON CLICK DO PUBLISH TOPIC "a" WITH 1',
    right: 'ON CLICK DO\n    PUBLISH TOPIC "a" WITH 1',
  },
  LOT2045: {
    severity: 'error',
    title: 'line outside of the block',
    explanation:
      'The line stands in the first column, but only DEFINE and the parts of a header do.\nIndent it if it belongs to the entity above.',
    wrong: 'ON START DO\n    SET "a" WITH 1\nPUBLISH TOPIC "a" WITH {a}',
    right: 'ON START DO\n    SET "a" WITH 1\n    PUBLISH TOPIC "a" WITH {a}',
  },
  LOT2046: {
    severity: 'error',
    title: 'clause of a component that is not supported',
    explanation:
      'AT, INVOKE, FETCH, NAVIGATE and DISPLAY are words of tools for panels; no description says what they do.\nLet ON CLICK DO publish a message that an action takes, and BIND show what actions publish.\nComponents stand in the order of the text, in the columns of WITH LAYOUT.',
    wrong: 'INVOKE "Restart"',
    right: 'ON CLICK DO\n    PUBLISH TOPIC "line/restart" WITH 1',
  },
  LOT2047: {
    severity: 'error',
    title: 'USING REPLACE behind a topic',
    explanation:
      'Where the topic is to be computed, REPLACE stands in its place, with the text that it works on behind IN.',
    wrong: 'PUBLISH TOPIC "line/X/state" USING REPLACE "X" WITH "7"',
    right: 'PUBLISH TOPIC REPLACE "X" WITH "7" IN "line/X/state" WITH PAYLOAD',
  },
} as const satisfies Record<string, CatalogueEntry>
