/** What the broker says of itself below `$SYS/Coreflux`. */
import type { BrokerConfig } from '../config/schema.js'
import type { RetainedTopics } from './retained-topics.js'

type Listeners = BrokerConfig['listeners']

/** Those that change only with the configuration or the program. */
export function setSystemTopics(topics: RetainedTopics, config: BrokerConfig, version: string): void {
  topics.set('Version', JSON.stringify({ version, build: version, product: 'Merlot' }))
  topics.set('Config', JSON.stringify(configView(config)))
  topics.set('License', JSON.stringify({ tier: 'open' }))
  topics.set('Cluster/Role', 'Standalone')
  topics.set('Cluster/IsLeader', 'true')
  topics.set('Cluster/Leader', 'Merlot')
  topics.set('Cluster/Term', '0')
  topics.set('Cluster/Members', '[]')
  topics.set('Cluster/Status', JSON.stringify({ role: 'Standalone', isLeader: true, term: 0, members: [] }))
}

/** Where there are no projects, clients still look for these. */
export function setNoProjects(topics: RetainedTopics): void {
  topics.set('Projects/list', '[]')
  topics.set('Projects/active', JSON.stringify({ status: 'unloaded' }))
  topics.set('Entities/ownership', '{}')
}

export function setLicenseStatus(topics: RetainedTopics, connections: number): void {
  topics.set('License/Status', JSON.stringify({ tier: 'open', expires: null, connections }))
}

/** With the keys that clients of Coreflux know; no password, whatever it is for. */
function configView({ listeners, log }: BrokerConfig): object {
  const hasCertificate = listeners.find(({ tls }) => tls !== undefined)?.tls
  return {
    Name: 'Merlot',
    Port: portOf(listeners, 'tcp'),
    TlsPort: portOf(listeners, 'tls'),
    WebsocketPort: portOf(listeners, 'ws'),
    WebsocketPortTls: portOf(listeners, 'wss'),
    FullDebugLog: log.level === 'debug' || log.level === 'trace',
    AnonymousLogin: true,
    BindIPForMQTT: hostOf(listeners, 'tcp'),
    BindIPForMQTTwithTls: hostOf(listeners, 'tls'),
    BindIpForWebSockets: hostOf(listeners, 'ws'),
    BindIpForWebSocketsTls: hostOf(listeners, 'wss'),
    CertificatePath: hasCertificate?.certFile ?? hasCertificate?.pfxFile ?? '',
    CertificatePassword: hasCertificate?.passphrase === undefined ? '' : '********',
  }
}

/** 0 where there is none. */
function portOf(listeners: Listeners, type: Listeners[number]['type']): number {
  return listeners.find((listener) => listener.type === type)?.port ?? 0
}

function hostOf(listeners: Listeners, type: Listeners[number]['type']): string {
  return listeners.find((listener) => listener.type === type)?.host ?? ''
}
