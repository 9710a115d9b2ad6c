/** Errors in rules (LOT32xx), routes (LOT33xx), panels and themes (LOT34xx). */
import type { CatalogueEntry } from '../diagnostic-catalogue.js'

export const ROUTE_CATALOGUE = {
  LOT3201: {
    severity: 'error',
    title: 'reserved priority',
    explanation:
      'Priorities 0 to 99 belong to the rules of the broker itself. Take 100 or more; lower numbers are asked first.',
    wrong: 'DEFINE RULE Example WITH PRIORITY 10 FOR Publish TO TOPIC "line/#"\n    ALLOW',
    right: 'DEFINE RULE Example WITH PRIORITY 110 FOR Publish TO TOPIC "line/#"\n    ALLOW',
  },
  LOT3202: {
    severity: 'error',
    title: 'unknown scope',
    explanation: 'The word after `FOR` says what the rule governs: `Publish`, `Subscribe`, `Connect`, `CommandCall`, …',
    wrong: 'DEFINE RULE Example WITH PRIORITY 110 FOR Publsh TO TOPIC "line/#"\n    ALLOW',
    right: 'DEFINE RULE Example WITH PRIORITY 110 FOR Publish TO TOPIC "line/#"\n    ALLOW',
  },
  LOT3203: {
    severity: 'error',
    title: 'topic where the scope has none',
    explanation: 'Only `Publish`, `Subscribe`, `PublishSys` and `SubscribeSys` are about topics.',
    wrong: 'DEFINE RULE Example WITH PRIORITY 110 FOR Connect TO TOPIC "line/#"\n    ALLOW',
    right: 'DEFINE RULE Example WITH PRIORITY 110 FOR Connect\n    ALLOW',
  },
  LOT3204: {
    severity: 'error',
    title: 'rule without its topic',
    explanation:
      '`Publish`, `Subscribe`, `PublishSys` and `SubscribeSys` need `TO TOPIC` and a filter; `"#"` is all of them.',
    wrong: 'DEFINE RULE Example WITH PRIORITY 110 FOR Publish\n    ALLOW',
    right: 'DEFINE RULE Example WITH PRIORITY 110 FOR Publish TO TOPIC "#"\n    ALLOW',
  },
  LOT3205: {
    severity: 'error',
    title: 'regular expression that a rule cannot use',
    explanation:
      'Rules are asked for every client, so their expressions take linear time, whatever a client calls itself: the syntax is that of RE2, without look-around and back-references, and an expression has a size that it cannot exceed.',
    wrong:
      'DEFINE RULE Example WITH PRIORITY 110 FOR Connect\n    IF CLIENTID MATCHES REGEX "^(?!test-)" THEN\n        ALLOW',
    right:
      'DEFINE RULE Example WITH PRIORITY 110 FOR Connect\n    IF NOT CLIENTID MATCHES REGEX "^test-" THEN\n        ALLOW',
  },
  LOT3206: {
    severity: 'error',
    title: 'value that a rule does not know',
    explanation:
      'A rule decides by who asks, by the topic and by the values of other topics: `CLIENTID`, `USER`, `ENDPOINT`, `TOPIC POSITION`, `GET TOPIC`, texts and numbers, joined with `+`. The answer is remembered until one of them changes, so there is no time, no chance and no payload.',
    wrong:
      'DEFINE RULE Example WITH PRIORITY 110 FOR Publish TO TOPIC "line/#"\n    IF GET TOPIC "line/open" IS PAYLOAD THEN\n        ALLOW',
    right:
      'DEFINE RULE Example WITH PRIORITY 110 FOR Publish TO TOPIC "line/#"\n    IF GET TOPIC "line/open" IS CLIENTID THEN\n        ALLOW',
  },
  LOT3301: {
    severity: 'error',
    title: 'unknown route type',
    explanation: 'The broker has no connector of this name.',
    wrong:
      'DEFINE ROUTE Example WITH TYPE RESTAPI2\n    ADD REST_API_CONFIG\n        WITH BASE_ADDRESS "http://erp.example"',
    right:
      'DEFINE ROUTE Example WITH TYPE REST_API\n    ADD REST_API_CONFIG\n        WITH BASE_ADDRESS "http://erp.example"',
  },
  LOT3302: {
    severity: 'error',
    title: 'block of another type',
    explanation: 'Each type of route has a configuration block of its own.',
    wrong:
      'DEFINE ROUTE Example WITH TYPE REST_API\n    ADD REST_API_CONFIG\n        WITH BASE_ADDRESS "http://erp.example"\n    ADD KAFKA_CONFIG\n        WITH BOOTSTRAP_SERVERS "k:9092"',
    right:
      'DEFINE ROUTE Example WITH TYPE REST_API\n    ADD REST_API_CONFIG\n        WITH BASE_ADDRESS "http://erp.example"',
  },
  LOT3303: {
    severity: 'error',
    title: 'missing setting',
    explanation: 'The connector cannot work without this setting.',
    wrong: 'DEFINE ROUTE Example WITH TYPE MONGODB\n    ADD MONGODB_CONFIG\n        WITH DATABASE "plant"',
    right:
      'DEFINE ROUTE Example WITH TYPE MONGODB\n    ADD MONGODB_CONFIG\n        WITH CONNECTION_STRING GET SECRET "MONGO"\n        WITH DATABASE "plant"',
  },
  LOT3304: {
    severity: 'error',
    title: 'incomplete tag',
    explanation: 'A tag has an `ADDRESS` and a `DATA_TYPE`.',
    wrong:
      'DEFINE ROUTE Example WITH TYPE SIEMENS_S7\n    ADD S7_CONFIG\n        WITH IP "10.0.0.7"\n    ADD MAPPING Press\n        WITH SOURCE_TOPIC "press"\n        ADD TAG Force\n            WITH ADDRESS "DB1.DBD0"',
    right:
      'DEFINE ROUTE Example WITH TYPE SIEMENS_S7\n    ADD S7_CONFIG\n        WITH IP "10.0.0.7"\n    ADD MAPPING Press\n        WITH SOURCE_TOPIC "press"\n        ADD TAG Force\n            WITH ADDRESS "DB1.DBD0"\n            WITH DATA_TYPE "REAL"',
  },
  LOT3305: {
    severity: 'error',
    title: 'name given twice',
    explanation: 'Events, mappings, blocks and the tags of a mapping have names of their own.',
    wrong:
      'DEFINE ROUTE Example WITH TYPE REST_API\n    ADD REST_API_CONFIG\n        WITH BASE_ADDRESS "http://erp.example"\n    ADD EVENT Order\n        WITH METHOD "GET"\n    ADD EVENT Order\n        WITH METHOD "POST"',
    right:
      'DEFINE ROUTE Example WITH TYPE REST_API\n    ADD REST_API_CONFIG\n        WITH BASE_ADDRESS "http://erp.example"\n    ADD EVENT Order\n        WITH METHOD "GET"\n    ADD EVENT Booking\n        WITH METHOD "POST"',
  },
  LOT3306: {
    severity: 'error',
    title: 'setting given twice',
    explanation: 'A block has each setting once.',
    wrong:
      'DEFINE ROUTE Example WITH TYPE REST_API\n    ADD REST_API_CONFIG\n        WITH BASE_ADDRESS "http://erp.example"\n        WITH USE_SSL true\n        WITH USE_SSL false',
    right:
      'DEFINE ROUTE Example WITH TYPE REST_API\n    ADD REST_API_CONFIG\n        WITH BASE_ADDRESS "http://erp.example"\n        WITH USE_SSL true',
  },
  LOT3307: {
    severity: 'error',
    title: 'value that does not fit',
    explanation: 'The setting takes other values than the one that stands there.',
    wrong:
      'DEFINE ROUTE Example WITH TYPE REST_API\n    ADD REST_API_CONFIG\n        WITH BASE_ADDRESS "http://erp.example"\n        WITH USE_SSL "maybe"',
    right:
      'DEFINE ROUTE Example WITH TYPE REST_API\n    ADD REST_API_CONFIG\n        WITH BASE_ADDRESS "http://erp.example"\n        WITH USE_SSL true',
  },
  LOT3401: {
    severity: 'error',
    title: 'unknown component type',
    explanation:
      'Components are text, value, gauge, chart, table, indicator, button, switch, slider, input, select, image and heading.',
    wrong: 'DEFINE PANEL "Example"\n    ADD COMPONENT "Level" WITH TYPE "guage"',
    right: 'DEFINE PANEL "Example"\n    ADD COMPONENT "Level" WITH TYPE "gauge"',
  },
  LOT3402: {
    severity: 'error',
    title: 'private and shared',
    explanation: 'A panel with `VISIBILITY PRIVATE` is for its owner alone.',
    wrong: 'DEFINE PANEL "Example"\n    WITH VISIBILITY PRIVATE\n    WITH SHARE TO GROUP "operators"',
    right: 'DEFINE PANEL "Example"\n    WITH VISIBILITY SHARED\n    WITH SHARE TO GROUP "operators"',
  },
  LOT3403: {
    severity: 'error',
    title: 'unknown theme key',
    explanation:
      'A theme has the colors PRIMARY, SECONDARY, SUCCESS, WARNING, CRITICAL, INFO, BACKGROUND, FOREGROUND, CARD, BORDER and MUTED.',
    wrong: 'DEFINE THEME "Night"\n    SET "PRIMERY" WITH "#101010"',
    right: 'DEFINE THEME "Night"\n    SET "PRIMARY" WITH "#101010"',
  },
  LOT3404: {
    severity: 'error',
    title: 'invalid color',
    explanation: 'Colors are written `#rrggbb`, or short `#rgb`; `#rrggbbaa` with transparency.',
    wrong: 'DEFINE THEME "Night"\n    SET "PRIMARY" WITH "dark"',
    right: 'DEFINE THEME "Night"\n    SET "PRIMARY" WITH "#101010"',
  },
  LOT3405: {
    severity: 'error',
    title: 'component given twice',
    explanation: 'Each component of a panel has a name of its own.',
    wrong:
      'DEFINE PANEL "Example"\n    ADD COMPONENT "Level" WITH TYPE "gauge"\n    ADD COMPONENT "Level" WITH TYPE "text"',
    right:
      'DEFINE PANEL "Example"\n    ADD COMPONENT "Level" WITH TYPE "gauge"\n    ADD COMPONENT "Level text" WITH TYPE "text"',
  },
  LOT3406: {
    severity: 'error',
    title: 'unknown setting of a component',
    explanation:
      'Components have LABEL, UNIT, STYLE, RANGE, MIN, MAX, STEP, FORMAT, COLOR, ICON, SIZE, DECIMALS and a few more.',
    wrong: 'DEFINE PANEL "Example"\n    ADD COMPONENT "Level" WITH TYPE "gauge"\n        SET LABLE "Level"',
    right: 'DEFINE PANEL "Example"\n    ADD COMPONENT "Level" WITH TYPE "gauge"\n        SET LABEL "Level"',
  },
  LOT3407: {
    severity: 'error',
    title: 'empty range of a component',
    explanation: '`SET RANGE FROM a TO b` goes from the smaller to the larger number.',
    wrong: 'DEFINE PANEL "Example"\n    ADD COMPONENT "Level" WITH TYPE "gauge"\n        SET RANGE FROM 100 TO 0',
    right: 'DEFINE PANEL "Example"\n    ADD COMPONENT "Level" WITH TYPE "gauge"\n        SET RANGE FROM 0 TO 100',
  },
} as const satisfies Record<string, CatalogueEntry>
