/** Diagnostics of the parser about words, blocks and values (LOT2xxx; the forms of entities are in form-catalogue.ts). */
import type { CatalogueEntry } from '../diagnostic-catalogue.js'

export const SYNTAX_CATALOGUE = {
  LOT2001: {
    severity: 'error',
    title: 'unexpected word',
    explanation:
      'The parser says what can stand at this place and what it found.\nNEWLINE is the end of a statement, INDENT and DEDENT the beginning and end of a block.',
    wrong: 'KEEP "tank/limit" WITH 95',
    right: 'KEEP TOPIC "tank/limit" WITH 95',
  },
  LOT2002: {
    severity: 'error',
    title: 'keyword in lower case',
    explanation: 'Keywords are written in upper case; names and topics keep their case.',
    wrong: 'set "n" with 1',
    right: 'SET "n" WITH 1',
  },
  LOT2003: {
    severity: 'error',
    title: 'unexpected INDENT',
    explanation:
      'A deeper line belongs to the statement above it, as its block or its continuation. This line can be neither.\nGive it the indentation of its neighbours.',
    wrong: 'SET "a" WITH 1\n    SET "b" WITH 2',
    right: 'SET "a" WITH 1\nSET "b" WITH 2',
  },
  LOT2004: {
    severity: 'error',
    title: 'DEDENT to no block',
    explanation:
      'The line is indented less than the statements above it, but no block stands at this column.\nAlign it with the block that it belongs to.',
    wrong: 'IF {a} THEN\n    SET "b" WITH 1\n  SET "c" WITH 2',
    right: 'IF {a} THEN\n    SET "b" WITH 1\nSET "c" WITH 2',
  },
  LOT2005: {
    severity: 'error',
    title: 'empty block',
    explanation:
      'After `DO`, `THEN`, `ELSE`, `LOOP`, `SWITCH` and `RETURN` there are indented lines.\nIndent the lines that belong to it by four spaces.',
    wrong: 'ON START DO\nPUBLISH TOPIC "up" WITH 1',
    right: 'ON START DO\n    PUBLISH TOPIC "up" WITH 1',
  },
  LOT2006: {
    severity: 'error',
    title: 'unknown statement',
    explanation:
      'A line of an action begins with SET, PUBLISH, KEEP, DELETE, IF, SWITCH, LOOP, CALL or TRIGGER.\nA variable is assigned with SET.',
    wrong: 'PUBLSH TOPIC "a" WITH 1',
    right: 'PUBLISH TOPIC "a" WITH 1',
  },
  LOT2007: {
    severity: 'error',
    title: 'value missing',
    explanation:
      'Here a value must stand: a string, a number, `{variable}`, `PAYLOAD`, `GET TOPIC …`, JSON.\nFor an empty payload write `""`.',
    wrong: 'PUBLISH TOPIC "a" WITH',
    right: 'PUBLISH TOPIC "a" WITH ""',
  },
  LOT2009: {
    severity: 'error',
    title: 'THEN missing',
    explanation: 'The condition of IF, and the value of CASE, end with THEN.',
    wrong: 'IF {a} > 1\n    SET "b" WITH 2',
    right: 'IF {a} > 1 THEN\n    SET "b" WITH 2',
  },
  LOT2012: {
    severity: 'error',
    title: 'TOPIC POSITION 0',
    explanation: 'Levels of a topic are counted from 1: of `line/press4/state`, position 2 is `press4`.',
    wrong: 'SET "line" WITH TOPIC POSITION 0',
    right: 'SET "line" WITH TOPIC POSITION 1',
  },
  LOT2013: {
    severity: 'error',
    title: 'bare name as a value',
    explanation:
      'In actions a variable is read as `{name}`; a text stands in quotes.\nOnly models name their own fields without braces.',
    wrong: 'SET "b" WITH a + 1',
    right: 'SET "b" WITH {a} + 1',
  },
  LOT2015: {
    severity: 'error',
    title: 'function call',
    explanation: 'LoT has no functions with parentheses; it has words such as `REPLACE "a" WITH "b" IN PAYLOAD`.',
    wrong: 'SET "t" WITH REPLACE(PAYLOAD, ",", ".")',
    right: 'SET "t" WITH REPLACE "," WITH "." IN PAYLOAD',
  },
  LOT2026: {
    severity: 'error',
    title: 'SET with a type instead of a value',
    explanation: '`AS` after the variable stands before a value, as WITH does. To convert, name the value first.',
    wrong: 'SET "n" AS INT',
    right: 'SET "n" WITH PAYLOAD AS INT',
  },
  LOT2027: {
    severity: 'error',
    title: 'nested too deeply',
    explanation:
      'Blocks, parentheses and JSON can be nested in 100 levels, and an expression can join 1000 operators.\nMove a part into a variable or a callable action.',
    wrong: 'SET "x" WITH ((((…))))',
    right: 'SET "part" WITH …',
  },
  LOT2028: {
    severity: 'error',
    title: 'too many errors',
    explanation: 'After 100 errors the rest of the text is not read. Correct the first ones.',
    wrong: '',
    right: '',
  },
  LOT2030: {
    severity: 'error',
    title: 'comparison of a comparison',
    explanation: '`a < b < c` would compare true or false with c.\nJoin two comparisons with AND.',
    wrong: 'IF 1 < {n} < 9 THEN',
    right: 'IF 1 < {n} AND {n} < 9 THEN',
  },
  LOT2031: {
    severity: 'error',
    title: 'bytes as text',
    explanation:
      '`PAYLOAD AS BYTES` passes bytes on unchanged. FILTER, REPLACE, TRIM and SPLIT work on text.\nLeave the cast out to transform text.',
    wrong: 'SET "t" WITH TRIM (PAYLOAD AS BYTES)',
    right: 'SET "t" WITH TRIM PAYLOAD',
  },
  LOT2032: {
    severity: 'error',
    title: 'comma too many',
    explanation: 'A list, an object and arguments have commas between their items, and none at the end.',
    wrong: 'PUBLISH TOPIC "a" WITH [1, 2,]',
    right: 'PUBLISH TOPIC "a" WITH [1, 2]',
  },
  LOT2033: {
    severity: 'error',
    title: 'IF inside of an expression',
    explanation: '`IF … THEN … ELSE …` as an operand would take all that follows.\nPut it in parentheses.',
    wrong: 'SET "t" WITH "is " + IF {a} THEN 1 ELSE 2',
    right: 'SET "t" WITH "is " + (IF {a} THEN 1 ELSE 2)',
  },
  LOT2034: {
    severity: 'error',
    title: 'SET without WITH',
    explanation: 'Between the variable and its value stands WITH (or TO, AS, `=`).',
    wrong: 'SET "n" 5',
    right: 'SET "n" WITH 5',
  },
  LOT2035: {
    severity: 'error',
    title: 'word at the wrong column',
    explanation:
      'ELSE, UNTIL, CASE, RETURN and their like belong to a statement or header further left, and stand at its column.',
    wrong: 'LOOP\n    SET "n" WITH {n} + 1\n    UNTIL {n} > 5',
    right: 'LOOP\n    SET "n" WITH {n} + 1\nUNTIL {n} > 5',
  },
  LOT2036: {
    severity: 'error',
    title: 'branch after DEFAULT',
    explanation: 'Branches of a SWITCH are tried in order, and DEFAULT takes everything: nothing can follow it.',
    wrong: 'SWITCH {a}\n    DEFAULT THEN\n        SET "b" WITH 0\n    CASE 1 THEN\n        SET "b" WITH 1',
    right: 'SWITCH {a}\n    CASE 1 THEN\n        SET "b" WITH 1\n    DEFAULT THEN\n        SET "b" WITH 0',
  },
} as const satisfies Record<string, CatalogueEntry>
