/** Errors in models (LOT31xx). */
import type { CatalogueEntry } from '../diagnostic-catalogue.js'

export const MODEL_CATALOGUE = {
  LOT3101: {
    severity: 'error',
    title: 'missing parent',
    explanation: 'A model inherits from one that is deployed already, or stands in the same text.',
    wrong: 'DEFINE MODEL Child FROM Bse\n    ADD INT "n"',
    right: 'DEFINE MODEL Base COLLAPSED\n    ADD STRING "id"\n\nDEFINE MODEL Child FROM Base\n    ADD INT "n"',
  },
  LOT3102: {
    severity: 'error',
    title: 'cyclic parents',
    explanation: 'A model cannot inherit from itself, directly or by its parents.',
    wrong: 'DEFINE MODEL One FROM Two\n    ADD INT "a"\n\nDEFINE MODEL Two FROM One\n    ADD INT "b"',
    right: 'DEFINE MODEL One\n    ADD INT "a"\n\nDEFINE MODEL Two FROM One\n    ADD INT "b"',
  },
  LOT3103: {
    severity: 'error',
    title: 'field given twice',
    explanation:
      'Each field of a model has a name of its own. A field of the same name as one of a parent replaces it.',
    wrong: 'DEFINE MODEL Reading COLLAPSED\n    ADD INT "n"\n    ADD DOUBLE "n"',
    right: 'DEFINE MODEL Reading COLLAPSED\n    ADD INT "n"\n    ADD DOUBLE "m"',
  },
  LOT3104: {
    severity: 'error',
    title: 'unknown field',
    explanation:
      'A bare name in a model is a field of it or of its parents; members of objects are named `object.member`.',
    wrong: 'DEFINE MODEL Reading COLLAPSED\n    ADD INT "count"\n    ADD INT "double" WITH (cuont * 2)',
    right: 'DEFINE MODEL Reading COLLAPSED\n    ADD INT "count"\n    ADD INT "double" WITH (count * 2)',
  },
  LOT3105: {
    severity: 'error',
    title: 'more + than the trigger',
    explanation:
      'Each `+` of the output, and of topics that are no trigger, takes what the `+` at its turn in the trigger stands for.',
    wrong: 'DEFINE MODEL Clean COLLAPSED WITH TOPIC "clean/+/+"\n    ADD DOUBLE "t" WITH TOPIC "raw/+" AS TRIGGER',
    right: 'DEFINE MODEL Clean COLLAPSED WITH TOPIC "clean/+"\n    ADD DOUBLE "t" WITH TOPIC "raw/+" AS TRIGGER',
  },
  LOT3106: {
    severity: 'error',
    title: 'named level that no trigger has',
    explanation: 'A level `{name}` takes what the level of the same name in the trigger stands for.',
    wrong:
      'DEFINE MODEL Clean COLLAPSED WITH TOPIC "clean/{machine}"\n    ADD DOUBLE "t" WITH TOPIC "raw/{device}" AS TRIGGER',
    right:
      'DEFINE MODEL Clean COLLAPSED WITH TOPIC "clean/{device}"\n    ADD DOUBLE "t" WITH TOPIC "raw/{device}" AS TRIGGER',
  },
} as const satisfies Record<string, CatalogueEntry>
