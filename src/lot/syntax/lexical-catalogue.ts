/** Diagnostics of the lexer (LOT1xxx) and of layout (LOT9xxx). */
import type { CatalogueEntry } from '../diagnostic-catalogue.js'

export const LEXICAL_CATALOGUE = {
  LOT1001: {
    severity: 'error',
    title: 'string without an end',
    explanation:
      'A string begins and ends on one line, with the same kind of quote.\nAdd the closing quote. For a line break inside of a string write `\\n`, for a quote `\\"`.',
    wrong: 'PUBLISH TOPIC "pump/state WITH "on"',
    right: 'PUBLISH TOPIC "pump/state" WITH "on"',
  },
  LOT1002: {
    severity: 'error',
    title: 'unexpected character',
    explanation:
      'The character means nothing outside of strings and comments.\nNames have the letters A to Z, digits and `_`; logic is written with the words `AND`, `OR` and `NOT`; no statement ends with `;`.',
    wrong: 'IF {level} > 5 && {armed} THEN',
    right: 'IF {level} > 5 AND {armed} THEN',
  },
  LOT1003: {
    severity: 'error',
    title: 'comment without an end',
    explanation: 'A comment that begins with `/*` ends with `*/`.\nFor a comment up to the end of the line write `//`.',
    wrong: '/* limits of the tank',
    right: '/* limits of the tank */',
  },
  LOT1004: {
    severity: 'error',
    title: 'incomplete path of a variable',
    explanation: 'In `{name.a.b}` there is a name between all dots.\nRemove the dot too many, or add the missing name.',
    wrong: 'SET "t" WITH {reading..celsius}',
    right: 'SET "t" WITH {reading.celsius}',
  },
  LOT1005: {
    severity: 'error',
    title: 'number too large',
    explanation: 'Numbers are 64-bit floating point; the largest is about 1.8e308.\nWrite a smaller one.',
    wrong: 'SET "x" WITH 1e999',
    right: 'SET "x" WITH 1e99',
  },
  LOT1006: {
    severity: 'error',
    title: 'typographic quote',
    explanation:
      'Word processors and chat programs replace quotes by typographic ones.\nStrings are written with `"` or `\'`.',
    wrong: 'PUBLISH TOPIC “pump/state” WITH 1',
    right: 'PUBLISH TOPIC "pump/state" WITH 1',
  },
  LOT9001: {
    severity: 'warning',
    title: 'odd indentation',
    explanation:
      'Blocks are indented by four spaces for each level; other widths work here, but not in every broker.\n`merlot lot fmt` corrects it.',
    wrong: 'DO\n  PUBLISH TOPIC "a" WITH 1',
    right: 'DO\n    PUBLISH TOPIC "a" WITH 1',
  },
  LOT9002: {
    severity: 'warning',
    title: 'tab in the indentation',
    explanation:
      'A tab counts up to the next multiple of four columns; other brokers refuse it.\n`merlot lot fmt` corrects it.',
    wrong: 'DO\n\tPUBLISH TOPIC "a" WITH 1',
    right: 'DO\n    PUBLISH TOPIC "a" WITH 1',
  },
  LOT9003: {
    severity: 'warning',
    title: 'unusual name',
    explanation: 'Names of entities have letters, digits and `_`; `-` and `.` work here, but not in every broker.',
    wrong: 'DEFINE ACTION pump-watch',
    right: 'DEFINE ACTION PumpWatch',
  },
} as const satisfies Record<string, CatalogueEntry>
