// What does `authz` need, when somebody sets authz.listen.port? Proxies that may ask, the
// words in which they do, and a repository that has its paths where the gateway has them:
// what passes is the client's own target, and nothing is rebuilt.
import { showText, type Mistake } from '../files/mistakes.ts'
import { DIALECTS } from '../words/dialects.ts'
import type { ConfigFile } from './schema.ts'

/**
 * @param sound whether nobody complained about a key already
 * @param basePath the path of publicUrl; undefined: that is not sound
 */
export function authzMistakes (
  { authz, listen, admin, charts }: ConfigFile,
  sound: (key: string) => boolean,
  basePath: string | undefined
): Mistake[] {
  if (!sound('authz')) return []
  const { port, host } = authz.listen
  if (port === 0) return []
  const mistakes: Mistake[] = []
  const mistake = (key: string, sentence: string): void => { mistakes.push({ key, sentence }) }
  for (const [name, other] of [['public', listen], ['admin', admin]] as const) {
    if (port === other.port && host === other.host) {
      mistake('authz.listen.port', `${port} is the port of the ${name} listener too`)
    }
  }
  if (authz.trustedProxies.length === 0) {
    mistake('authz.trustedProxies', 'nobody may ask: name the addresses or CIDRs of the proxies that do')
  }
  for (const [i, proxy] of authz.trustedProxies.entries()) {
    if (/\/0+$/.test(proxy)) mistake(`authz.trustedProxies[${i}]`, `${showText(proxy)} is everybody: name the proxies`)
  }
  if (authz.dialect === 'none') {
    mistake('authz.dialect', `which proxy asks? One of ${DIALECTS.join(', ')}`)
  }
  if (basePath !== undefined && sound('charts.contextPath') && basePath !== charts.contextPath) {
    mistake('authz.listen.port', 'the chart repository gets the path that the client has sent, and so its context ' +
      `path has to be that of publicUrl: charts.contextPath is ${showText(charts.contextPath)}, and the path of ` +
      `publicUrl ${showText(basePath)}`)
  }
  return mistakes
}
