/** LoT for tests of the command line. */

export const PUMP = `// Alarm of a pump
DEFINE ACTION PumpAlarm
ON TOPIC "plant/+/pressure" DO
    SET "limit" WITH GET TOPIC "plant/limit"
    IF PAYLOAD AS DOUBLE > {limit} AS DOUBLE THEN
        PUBLISH TOPIC "alarms/" + TOPIC POSITION 2 WITH "high"
    ELSE
        PUBLISH TOPIC "alarms/" + TOPIC POSITION 2 WITH "off"

DEFINE ACTION Count
ON TOPIC "alarms/+" DO
    KEEP TOPIC "count" WITH GET TOPIC "count" AS INT + 1

DEFINE ACTION Tick
ON EVERY 1 MINUTE DO
    PUBLISH TOPIC "tick" WITH GET TOPIC "count"

DEFINE ACTION Add
INPUT a AS INT
INPUT b AS INT
DO
    SET "sum" WITH {a} + {b}
RETURN
    OUTPUT sum

DEFINE ACTION Divide
ON TOPIC "divide" DO
    PUBLISH TOPIC "quotient" WITH 1 / PAYLOAD AS INT

DEFINE MODEL Pump COLLAPSED WITH TOPIC "models/+/pump"
    ADD DOUBLE "pressure" WITH TOPIC "plant/+/pressure" AS TRIGGER
    ADD STRING "state" WITH "on"
`

export const WRONG = `DEFINE ACTION Wrong
ON TOPIC "a" DO
    PUBLISH TOPIC "b" WITH {presure}
    SET "pressure" WITH PAYLOAD
`

export const UGLY = `DEFINE ACTION Ugly
ON TOPIC "a" DO
      PUBLISH TOPIC "b"   WITH PAYLOAD // as it is
`

export const NICE = `DEFINE ACTION Ugly
ON TOPIC "a" DO
    PUBLISH TOPIC "b" WITH PAYLOAD // as it is
`

export function notebook(...cells: readonly string[]): string {
  return JSON.stringify(
    cells.map((value) => ({ kind: 2, language: 'lot', value, extra: true })),
    undefined,
    2,
  )
}
