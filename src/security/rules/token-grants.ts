/** Topics that a token names: what rules may allow, and no more. */
import type { AccessQuestion } from '../../contracts/security.js'

/** Whether the token, if there is one, leaves the topic to the rules. */
export function leavesToRules({ identity, scope, topic }: AccessQuestion): boolean {
  const { claims } = identity
  if (claims === undefined) return true
  if (scope === 'Publish' || scope === 'PublishSys') return covers(claims.publish, topic)
  if (scope === 'Subscribe' || scope === 'SubscribeSys') return covers(claims.subscribe, topic)
  return true
}

function covers(grants: readonly string[] | undefined, topic: string | undefined): boolean {
  if (grants === undefined) return true
  return topic !== undefined && grants.some((grant) => filterCovers(grant, topic))
}

/**
 * Whether `grant` matches every topic that `asked` matches, a topic name or a filter. Both are valid filters; what is
 * not valid covers nothing.
 */
export function filterCovers(grant: string, asked: string): boolean {
  // wildcards at the beginning do not reach `$` topics [MQTT-4.7.2-1]
  if (asked.startsWith('$') && /^[+#]/.test(grant)) return false
  const granted = grant.split('/')
  const levels = asked.split('/')
  for (const [index, level] of granted.entries()) {
    if (level === '#') return index === granted.length - 1
    if (index >= levels.length || levels[index] === '#') return false
    if (level !== '+' && level !== levels[index]) return false
    // `a/#` has `a` among what it matches (§4.7.1.2)
    if (index === levels.length - 1) return index === granted.length - 1 || isAllBelow(granted, index + 1)
  }
  return false
}

function isAllBelow(granted: readonly string[], index: number): boolean {
  return granted[index] === '#' && index === granted.length - 1
}
