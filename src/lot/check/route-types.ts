/** What each type of route is configured with: blocks, keys, and which of them must be there. */

export interface RouteBlock {
  /** The usual name first. */
  readonly names: readonly string[]
  /** undefined: whatever the connector takes. */
  readonly keys: readonly string[] | undefined
  /** Of each row one key is there. */
  readonly required: readonly (readonly string[])[]
  /** A key that stands for all required ones. */
  readonly instead?: string
}

export interface RouteType {
  readonly blocks: readonly RouteBlock[]
}

function block(names: string, keys: string, required = '', instead?: string): RouteBlock {
  const rows = required === '' ? [] : required.split(' ').map((row) => row.split('|'))
  return { names: names.split(' '), keys: keys === '' ? undefined : keys.split(' '), required: rows, instead }
}

function route(...blocks: readonly RouteBlock[]): RouteType {
  return { blocks }
}

const SQL_KEYS = 'SERVER HOST PORT DATABASE USERNAME PASSWORD USE_SSL TRUST_SERVER_CERTIFICATE SCHEMA CONNECTION_STRING'

function sql(type: string): RouteType {
  const names = `SQL_CONFIG ${type}_CONFIG`
  return route(block(names, SQL_KEYS, 'SERVER|HOST DATABASE USERNAME PASSWORD', 'CONNECTION_STRING'))
}

const BROKER_KEYS =
  'BROKER BROKER_ADDRESS BROKER_PORT CLIENT_ID USERNAME PASSWORD USE_TLS ALLOW_UNTRUSTED_CERTS SERVER_CA_CERT_PATH ' +
  'CLIENT_CERT_PATH CLIENT_CERT_PASS RECONNECTION_RETRIES BUFFER_SIZE'
const BROKER_REQUIRED = 'BROKER_ADDRESS BROKER_PORT'

const MODBUS_KEYS =
  'HOST IP PORT SLAVE_ID UNIT_ID CONNECTION_TIMEOUT READ_TIMEOUT WRITE_TIMEOUT RETRY_COUNT RETRY_DELAY CONNECTION_TYPE'
const MODBUS_TCP = route(block('MODBUS_CONFIG MODBUS_TCP_CONFIG', MODBUS_KEYS, 'IP|HOST'))

/** By type, in upper case. */
export const ROUTE_TYPES: Readonly<Record<string, RouteType>> = {
  POSTGRESQL: sql('POSTGRESQL'),
  MYSQL: sql('MYSQL'),
  MARIADB: sql('MARIADB'),
  SQLSERVER: sql('SQLSERVER'),
  CRATEDB: route(block('CRATEDB_CONFIG SQL_CONFIG', SQL_KEYS)),
  MONGODB: route(block('MONGODB_CONFIG', 'CONNECTION_STRING DATABASE', 'CONNECTION_STRING DATABASE')),
  OPENSEARCH: route(block('OPENSEARCH_CONFIG', 'SERVER PORT BASE_URL USERNAME PASSWORD USE_SSL IGNORE_CERT_ERRORS')),
  SNOWFLAKE: route(
    block('SNOWFLAKE_CONFIG', 'CONNECTION_STRING WAREHOUSE DATABASE SCHEMA ROLE QUERY_TIMEOUT', 'CONNECTION_STRING'),
  ),
  FILE_STORAGE: route(
    block(
      'FILE_STORAGE_CONFIG',
      'PATH STORAGE_DIR FORMAT FILE_PATTERN CSV_DELIMITER APPEND INCLUDE_TIMESTAMP DATE_FORMAT MAX_RECORDS',
      'PATH|STORAGE_DIR',
    ),
  ),
  MQTT_BRIDGE: route(
    block('SOURCE_CONFIG', BROKER_KEYS, BROKER_REQUIRED, 'BROKER'),
    block('DESTINATION_CONFIG', BROKER_KEYS, BROKER_REQUIRED, 'BROKER'),
  ),
  MQTT_CLUSTER: route(
    block(
      'CLUSTER_CONFIG',
      'BROKER_ADDRESS BROKER_PORT CLIENT_ID USERNAME PASSWORD MESSAGE_VALIDITY_SEC',
      'BROKER_ADDRESS BROKER_PORT CLIENT_ID',
    ),
  ),
  SPARKPLUG_B: route(block('SPARKPLUG_CONFIG SPARKPLUG_B_CONFIG', '')),
  SPARKPLUG_HOST: route(block('SPARKPLUG_CONFIG SPARKPLUG_HOST_CONFIG', '')),
  KAFKA: route(block('KAFKA_CONFIG', '')),
  GRPC: route(block('GRPC_CONFIG', '')),
  MODBUS_TCP,
  MODBUS: MODBUS_TCP,
  MODBUS_SERIAL: route(
    block('MODBUS_CONFIG MODBUS_SERIAL_CONFIG', `${MODBUS_KEYS} COM_PORT BAUD_RATE PARITY DATA_BITS STOP_BITS`),
  ),
  MODBUS_SERVER: route(block('MODBUS_SERVER_CONFIG', '')),
  SIEMENS_S7: route(block('S7_CONFIG SIEMENS_S7_CONFIG', 'IP CPU_TYPE RACK SLOT PORT', 'IP')),
  OPCUA: route(
    block(
      'OPCUA_CONFIG',
      'ENDPOINT_URL AUTH_MODE USERNAME PASSWORD USE_SECURITY SECURITY_POLICY SECURITY_MODE TIMEOUT USE_BROWSE_PATH ' +
        'AUTO_ACCEPT_UNTRUSTED_CERTIFICATES BROWSE_ROOT',
      'ENDPOINT_URL',
    ),
  ),
  OPCUA_SERVER: route(block('OPCUA_SERVER_CONFIG', '')),
  ETHERNETIP: route(
    block(
      'ETHERNETIP_CONFIG',
      'IP PORT SLOT POLLING_MS CONNECTION_TIMEOUT READ_WRITE_TIMEOUT RETRY_ATTEMPTS RETRY_TIME_SECONDS',
      'IP',
    ),
  ),
  ALLEN_BRADLEY: route(block('ALLEN_BRADLEY_CONFIG', 'IP DEVICE_FAMILY SLOT PORT', 'IP')),
  ADS: route(block('ADS_CONFIG', '')),
  FINS: route(
    block('FINS_CONFIG', 'IP ADDRESS PORT PROTOCOL LOCAL_NODE REMOTE_NODE PC_NODE PLC_NODE TIMEOUT RETRIES POLLING'),
  ),
  BACNET: route(block('BACNET_CONFIG', 'IP PORT DEVICE_ID')),
  REST_API: route(
    block('REST_API_CONFIG', 'BASE_ADDRESS AUTHORIZATION ENABLE_CLIENT USE_SSL SERVER_PORT PUBLISH_ERRORS'),
  ),
  EMAIL: route(block('SMTP_CONFIG EMAIL_CONFIG', 'SERVER HOST PORT USERNAME PASSWORD FROM USE_TLS')),
  LLM: route(block('LLM_CONFIG', 'BASE_URL MODEL TEMPERATURE MAX_TOKENS API_KEY PROVIDER')),
  AGENT: route(block('AGENT_CONFIG', '', 'MODEL')),
  MCP: route(block('MCP_CONFIG', 'TRANSPORT COMMAND ARGS URL SERVER_COMMAND SERVER_ARGUMENTS CLIENT_NAME')),
  MCP_SERVER: route(block('MCP_SERVER_CONFIG', '')),
  BARCODE: route(block('BARCODE_CONFIG', 'SUPPORTED_FORMATS')),
  AUDIO_INPUT: route(block('AUDIO_INPUT_CONFIG AUDIO_CONFIG', '')),
  VIDEO_INPUT: route(block('VIDEO_INPUT_CONFIG VIDEO_CONFIG', '')),
  VIDEO_OUTPUT: route(block('VIDEO_OUTPUT_CONFIG VIDEO_CONFIG', '')),
}

/** Blocks that every route may have. */
export const COMMON_BLOCKS: readonly RouteBlock[] = [
  block('ROUTE_CONFIG', 'OVERLOAD_POLICY OVERLOAD_TIMEOUT OVERLOAD_CAPACITY'),
  block('MQTT_CONFIG', BROKER_KEYS),
]

export const EVENT_KEYS: readonly string[] = (
  'SOURCE_TOPIC DESTINATION_TOPIC QUERY METHOD ENDPOINT BODY TO SUBJECT RECIPIENT TEMPLATE_PATH MODE EVERY ' +
  'ENABLE_ANNOTATION ANNOTATED_IMAGE_TOPIC PUBLISH_ERRORS'
).split(' ')

export const MAPPING_KEYS: readonly string[] = (
  'SOURCE_TOPIC DESTINATION_TOPIC DIRECTION EVERY TOPIC INDEX TO SUBJECT BODY RECIPIENT TEMPLATE_PATH RETAIN QOS ' +
  'BUFFER_SIZE'
).split(' ')

export const TAG_KEYS: readonly string[] = (
  'ADDRESS ADDRESS_TYPE DATA_TYPE SOURCE_TOPIC DESTINATION_TOPIC WRITABLE SCALING OFFSET DEADBAND PUBLISH_MODE UNIT ' +
  'DECIMAL_PLACES MEMORY_TYPE'
).split(' ')

/** Types whose events and mappings have keys that no document names. */
export const OPEN_TYPES: ReadonlySet<string> = new Set([
  'SPARKPLUG_B',
  'SPARKPLUG_HOST',
  'KAFKA',
  'GRPC',
  'AUDIO_INPUT',
  'VIDEO_INPUT',
  'VIDEO_OUTPUT',
  'MODBUS_SERVER',
  'OPCUA_SERVER',
  'MCP_SERVER',
  'LLM',
  'AGENT',
])
