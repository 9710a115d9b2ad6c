/** Warnings: what can be run, and is hardly meant (LOT4xxx). */
import type { CatalogueEntry } from '../diagnostic-catalogue.js'

export const DOUBT_CATALOGUE = {
  LOT4001: {
    severity: 'warning',
    title: 'read before it is set',
    explanation:
      'The variable gets its value further down. Where it is read it is still empty: variables do not outlive a run.',
    wrong:
      'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    PUBLISH TOPIC "out" WITH {sum}\n    SET "sum" WITH PAYLOAD + 1',
    right:
      'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    SET "sum" WITH PAYLOAD + 1\n    PUBLISH TOPIC "out" WITH {sum}',
  },
  LOT4002: {
    severity: 'warning',
    title: 'never reached',
    explanation: 'A condition that is known beforehand keeps these statements from ever running.',
    wrong: 'DEFINE ACTION Example\nON START DO\n    IF 1 > 2 THEN\n        PUBLISH TOPIC "out" WITH 1',
    right: 'DEFINE ACTION Example\nON START DO\n    PUBLISH TOPIC "out" WITH 1',
  },
  LOT4003: {
    severity: 'warning',
    title: 'constant condition',
    explanation: 'The condition has the same outcome in every run, so it decides nothing.',
    wrong: 'DEFINE ACTION Example\nON START DO\n    IF TRUE THEN\n        PUBLISH TOPIC "out" WITH 1',
    right: 'DEFINE ACTION Example\nON START DO\n    PUBLISH TOPIC "out" WITH 1',
  },
  LOT4004: {
    severity: 'warning',
    title: 'loop without an end',
    explanation:
      'Nothing in the body of the loop changes what its condition depends on. A loop is stopped after 100,000 rounds or 5 seconds, and the run fails.',
    wrong:
      'DEFINE ACTION Example\nON START DO\n    SET "n" WITH 0\n    LOOP\n        PUBLISH TOPIC "out" WITH {n}\n    UNTIL {n} > 5',
    right:
      'DEFINE ACTION Example\nON START DO\n    SET "n" WITH 0\n    LOOP\n        PUBLISH TOPIC "out" WITH {n}\n        SET "n" WITH {n} + 1\n    UNTIL {n} > 5',
  },
  LOT4005: {
    severity: 'warning',
    title: 'comparison of unlike values',
    explanation: 'One side is a number or a boolean by its type, and the other a text that is none.',
    wrong:
      'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    IF PAYLOAD AS INT == "open" THEN\n        PUBLISH TOPIC "out" WITH 1',
    right:
      'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    IF PAYLOAD == "open" THEN\n        PUBLISH TOPIC "out" WITH 1',
  },
  LOT4006: {
    severity: 'warning',
    title: 'session word without its session',
    explanation:
      'CLIENTID, USER and ENDPOINT are known in `ON CONNECT`, `ON DISCONNECT` and `ON SUBSCRIBE`; CLEANSESSION, DISCONNECTREASON, SUBSCRIBETOPIC and SUBSCRIBEQOS in one of them each. Elsewhere they are empty.',
    wrong: 'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    PUBLISH TOPIC "out" WITH CLIENTID',
    right: 'DEFINE ACTION Example\nON CONNECT DO\n    PUBLISH TOPIC "out" WITH CLIENTID',
  },
  LOT4007: {
    severity: 'warning',
    title: 'action that fires itself',
    explanation: 'The action publishes to a topic that its own trigger takes. Chains are stopped after 64 runs.',
    wrong: 'DEFINE ACTION Example\nON TOPIC "counter" DO\n    PUBLISH TOPIC "counter" WITH PAYLOAD + 1',
    right: 'DEFINE ACTION Example\nON TOPIC "counter" DO\n    PUBLISH TOPIC "counter/next" WITH PAYLOAD + 1',
  },
  LOT4008: {
    severity: 'warning',
    title: 'action that calls itself',
    explanation:
      'Calls may be nested 32 deep; then the run fails. Make sure that the call is under a condition that ends it.',
    wrong: 'DEFINE ACTION Example\nINPUT n AS INT\nDO\n    CALL ACTION Example WITH n = {n} + 1',
    right: 'DEFINE ACTION Example\nINPUT n AS INT\nDO\n    PUBLISH TOPIC "out" WITH {n} + 1',
  },
  LOT4009: {
    severity: 'warning',
    title: 'regular expression that can take for ever',
    explanation:
      'For some texts the time grows exponentially with their length; the worker is stopped then, and the run fails. Repeat something that can match in one way only.',
    wrong:
      'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    PUBLISH TOPIC "out" WITH FILTER PAYLOAD USING REGEX "^(\\w+)*;$"',
    right:
      'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    PUBLISH TOPIC "out" WITH FILTER PAYLOAD USING REGEX "^\\w*;$"',
  },
  LOT4010: {
    severity: 'warning',
    title: 'given twice',
    explanation: 'A field, key or argument gets two values in one statement; the last one counts.',
    wrong: 'DEFINE ACTION Example\nON START DO\n    PUBLISH TOPIC "out" WITH { "a": 1, "a": 2 }',
    right: 'DEFINE ACTION Example\nON START DO\n    PUBLISH TOPIC "out" WITH { "a": 1, "b": 2 }',
  },
  LOT4011: {
    severity: 'warning',
    title: 'division by zero',
    explanation: 'The divisor is always 0: the run fails there. In a model the field is null.',
    wrong: 'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    PUBLISH TOPIC "out" WITH PAYLOAD / 0',
    right: 'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    PUBLISH TOPIC "out" WITH PAYLOAD / 10',
  },
  LOT4012: {
    severity: 'warning',
    title: 'topic with a + that nothing fills',
    explanation:
      '`GET TOPIC` reads one topic. A `+` in it takes what the `+` of the trigger stood for; where there is none, the value is empty.',
    wrong: 'DEFINE ACTION Example\nON START DO\n    SET "limit" WITH GET TOPIC "tank/+/limit"',
    right: 'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    SET "limit" WITH GET TOPIC "tank/+/limit"',
  },
  LOT4013: {
    severity: 'warning',
    title: 'format of a timestamp',
    explanation: 'A word in capitals that is no known format, or a quote that is not closed, makes an empty text.',
    wrong: 'DEFINE ACTION Example\nON START DO\n    PUBLISH TOPIC "out" WITH TIMESTAMP "HOUR"',
    right: 'DEFINE ACTION Example\nON START DO\n    PUBLISH TOPIC "out" WITH TIMESTAMP "HH"',
  },
  LOT4014: {
    severity: 'warning',
    title: 'missing argument',
    explanation: 'An `INPUT` that the call does not give is 0, false, empty or null, after its type.',
    wrong:
      'DEFINE ACTION Scale\nINPUT raw AS INT\nDO\n    SET "scaled" WITH {raw} / 10\nRETURN\n    OUTPUT scaled\n\nDEFINE ACTION Example\nON START DO\n    CALL ACTION Scale RETURN a',
    right:
      'DEFINE ACTION Scale\nINPUT raw AS INT\nDO\n    SET "scaled" WITH {raw} / 10\nRETURN\n    OUTPUT scaled\n\nDEFINE ACTION Example\nON START DO\n    CALL ACTION Scale WITH raw = 5 RETURN a',
  },
  LOT4015: {
    severity: 'warning',
    title: 'TOPIC POSITION beyond the topic',
    explanation:
      'The first level is position 1. The trigger takes only topics that have fewer levels, so the value is always empty.',
    wrong: 'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    PUBLISH TOPIC "out" WITH TOPIC POSITION 4',
    right: 'DEFINE ACTION Example\nON TOPIC "tank/+/level" DO\n    PUBLISH TOPIC "out" WITH TOPIC POSITION 2',
  },
  LOT4101: {
    severity: 'warning',
    title: 'model without a trigger',
    explanation:
      'Fields that read topics do not make the model publish. Mark the one that does with `AS TRIGGER`, or fill the model with `PUBLISH MODEL`.',
    wrong: 'DEFINE MODEL Clean COLLAPSED WITH TOPIC "clean"\n    ADD DOUBLE "t" WITH TOPIC "raw"',
    right: 'DEFINE MODEL Clean COLLAPSED WITH TOPIC "clean"\n    ADD DOUBLE "t" WITH TOPIC "raw" AS TRIGGER',
  },
  LOT4102: {
    severity: 'warning',
    title: 'field without a type',
    explanation:
      'The data decides whether the field is a number, a boolean or a text, message by message. Say which it is.',
    wrong: 'DEFINE MODEL Reading COLLAPSED\n    ADD "n" WITH 5',
    right: 'DEFINE MODEL Reading COLLAPSED\n    ADD INT "n" WITH 5',
  },
  LOT4103: {
    severity: 'warning',
    title: 'literal of another type',
    explanation: 'The type of the field cannot hold this text, so the field is always 0.',
    wrong: 'DEFINE MODEL Reading COLLAPSED\n    ADD INT "n" WITH "many"',
    right: 'DEFINE MODEL Reading COLLAPSED\n    ADD STRING "n" WITH "many"',
  },
  LOT4104: {
    severity: 'warning',
    title: 'trigger without an output',
    explanation:
      'The model is triggered, but has no topic to publish on. For a parent whose children have one that is as it should be.',
    wrong: 'DEFINE MODEL Clean COLLAPSED\n    ADD DOUBLE "t" WITH TOPIC "raw" AS TRIGGER',
    right: 'DEFINE MODEL Clean COLLAPSED WITH TOPIC "clean"\n    ADD DOUBLE "t" WITH TOPIC "raw" AS TRIGGER',
  },
  LOT4201: {
    severity: 'warning',
    title: 'reserved priority in a text of version 1',
    explanation:
      'Texts of version 1 use priorities 0 to 99 freely, so they are accepted with `compat: v1`. They stand beside the rules of the broker itself.',
    wrong: 'DEFINE RULE Example WITH PRIORITY 20 FOR Publish TO TOPIC "line/#"\n    ALLOW',
    right: 'DEFINE RULE Example WITH PRIORITY 120 FOR Publish TO TOPIC "line/#"\n    ALLOW',
  },
  LOT4202: {
    severity: 'warning',
    title: 'scope of version 1',
    explanation: 'Assets were connectors of version 1. The rule is kept, and never asked.',
    wrong: 'DEFINE RULE Example WITH PRIORITY 110 FOR AssetManagementStart\n    ALLOW',
    right: 'DEFINE RULE Example WITH PRIORITY 110 FOR RouteManagementCreation\n    ALLOW',
  },
  LOT4301: {
    severity: 'warning',
    title: 'unknown setting',
    explanation: 'The connector does not know this setting; it is kept, and has no effect.',
    wrong:
      'DEFINE ROUTE Example WITH TYPE REST_API\n    ADD REST_API_CONFIG\n        WITH BASE_ADDRESS "http://erp.example"\n        WITH USE_SLL true',
    right:
      'DEFINE ROUTE Example WITH TYPE REST_API\n    ADD REST_API_CONFIG\n        WITH BASE_ADDRESS "http://erp.example"\n        WITH USE_SSL true',
  },
  LOT4302: {
    severity: 'warning',
    title: 'secret in the text',
    explanation:
      'The text of a route is shown to whoever may read it. Keep the secret with `-setSecret`, and read it with `GET SECRET`.',
    wrong:
      'DEFINE ROUTE Example WITH TYPE EMAIL\n    ADD SMTP_CONFIG\n        WITH SERVER "mail.example"\n        WITH PASSWORD "hunter2"',
    right:
      'DEFINE ROUTE Example WITH TYPE EMAIL\n    ADD SMTP_CONFIG\n        WITH SERVER "mail.example"\n        WITH PASSWORD GET SECRET "MAIL"',
  },
} as const satisfies Record<string, CatalogueEntry>
