/** Statements that no test of a broker can show, with the reason. Everything else needs a test that names it. */

export interface StatementException {
  readonly number: string
  readonly reason: string
}

const CLIENT_ONLY = 'binds the client alone; nothing that a broker does shows it'
const EVERY_QOS = 'binds servers without QoS 1 or 2; this one supports every QoS and says so by leaving out Maximum QoS'
const NO_MECHANISM = 'needs an authentication mechanism; none is built in, so every CONNECT that names one is refused'

/** MQTT 5.0. */
export const EXCEPTIONS: readonly StatementException[] = [
  { number: 'MQTT-3.1.2-20', reason: CLIENT_ONLY },
  { number: 'MQTT-3.1.2-21', reason: CLIENT_ONLY },
  { number: 'MQTT-3.1.2-30', reason: NO_MECHANISM },
  { number: 'MQTT-3.2.2-4', reason: CLIENT_ONLY },
  { number: 'MQTT-3.2.2-5', reason: CLIENT_ONLY },
  { number: 'MQTT-3.2.2-9', reason: EVERY_QOS },
  { number: 'MQTT-3.2.2-10', reason: EVERY_QOS },
  { number: 'MQTT-3.2.2-11', reason: EVERY_QOS },
  { number: 'MQTT-3.2.2-12', reason: EVERY_QOS },
  { number: 'MQTT-3.2.2-13', reason: 'binds servers without retained messages; this one supports them' },
  { number: 'MQTT-3.2.2-14', reason: CLIENT_ONLY },
  { number: 'MQTT-3.2.2-21', reason: CLIENT_ONLY },
  { number: 'MQTT-3.3.2-10', reason: CLIENT_ONLY },
  { number: 'MQTT-3.3.4-8', reason: CLIENT_ONLY },
  { number: 'MQTT-3.15.2-1', reason: NO_MECHANISM },
  { number: 'MQTT-3.15.2-2', reason: NO_MECHANISM },
  { number: 'MQTT-3.15.2-3', reason: NO_MECHANISM },
  { number: 'MQTT-4.5.0-2', reason: CLIENT_ONLY },
  { number: 'MQTT-4.6.0-1', reason: CLIENT_ONLY },
  { number: 'MQTT-4.6.0-2', reason: CLIENT_ONLY },
  { number: 'MQTT-4.6.0-3', reason: CLIENT_ONLY },
  { number: 'MQTT-4.6.0-4', reason: CLIENT_ONLY },
  { number: 'MQTT-4.12.0-2', reason: NO_MECHANISM },
  { number: 'MQTT-4.12.0-3', reason: CLIENT_ONLY },
  { number: 'MQTT-4.12.0-5', reason: NO_MECHANISM },
  { number: 'MQTT-4.12.1-1', reason: CLIENT_ONLY },
  { number: 'MQTT-4.12.1-2', reason: NO_MECHANISM },
  { number: 'MQTT-6.0.0-3', reason: CLIENT_ONLY },
]

/** MQTT 3.1.1, whose numbers mean other statements. */
export const EXCEPTIONS_311: readonly StatementException[] = [
  { number: 'MQTT-2.3.1-2', reason: CLIENT_ONLY },
  { number: 'MQTT-2.3.1-3', reason: CLIENT_ONLY },
  { number: 'MQTT-3.1.2-23', reason: CLIENT_ONLY },
  { number: 'MQTT-3.1.3-7', reason: CLIENT_ONLY },
  {
    number: 'MQTT-3.2.2-6',
    reason: 'there is a return code for every reason for which this broker refuses a valid CONNECT',
  },
  { number: 'MQTT-3.3.5-2', reason: 'needs rules of access; until they exist every PUBLISH is authorized' },
  { number: 'MQTT-3.8.3-2', reason: 'binds servers without wildcards in topic filters; this one supports them' },
  { number: 'MQTT-3.14.4-1', reason: CLIENT_ONLY },
  { number: 'MQTT-3.14.4-2', reason: CLIENT_ONLY },
  { number: 'MQTT-4.5.0-2', reason: CLIENT_ONLY },
  { number: 'MQTT-4.6.0-2', reason: CLIENT_ONLY },
  { number: 'MQTT-4.6.0-3', reason: CLIENT_ONLY },
  { number: 'MQTT-4.6.0-4', reason: CLIENT_ONLY },
  { number: 'MQTT-4.8.0-2', reason: 'a transient error cannot be brought about from outside' },
  { number: 'MQTT-6.0.0-3', reason: CLIENT_ONLY },
  { number: 'MQTT-7.0.0-1', reason: 'the broker opens no connections to other servers' },
  { number: 'MQTT-7.0.0-2', reason: 'a property of the whole: every other test uses the protocol without extensions' },
  { number: 'MQTT-7.1.2-1', reason: CLIENT_ONLY },
]
