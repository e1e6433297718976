// Which CHARTGATE_* variables are none of ours? Kubernetes gives every container those of
// the Services of its namespace, and one for a Service chartgate or chartgate-admin begins
// as ours do (kubernetes v1.34, pkg/kubelet/envvars/envvars.go). Each has one form; any other
// text in such a variable was written by a person.
import { isIP } from 'node:net'

const isAddress = (text: string): boolean => isIP(text) !== 0
const isPort = (text: string): boolean => /^\d{1,5}$/.test(text)
/** tcp://10.96.0.1:80, or tcp://[fd00::1]:80. */
const isLink = (text: string): boolean => {
  const [, bracketed, plain = ''] = /^(?:tcp|udp|sctp):\/\/(?:\[([^\]]+)\]|([^:[\]]+)):\d{1,5}$/.exec(text) ?? []
  return bracketed === undefined ? isIP(plain) === 4 : isIP(bracketed) === 6
}

/** By how a name ends; behind SERVICE_PORT may stand the name of a port. */
const FORMS: readonly (readonly [end: RegExp, isItsText: (text: string) => boolean])[] = [
  [/_SERVICE_HOST$/, isAddress],
  [/_SERVICE_PORT$|_SERVICE_PORT_/, isPort],
  [/_PORT_\d{1,5}_(?:TCP|UDP|SCTP)_ADDR$/, isAddress],
  [/_PORT_\d{1,5}_(?:TCP|UDP|SCTP)_PORT$/, isPort],
  [/_PORT_\d{1,5}_(?:TCP|UDP|SCTP)_PROTO$/, text => /^(?:tcp|udp|sctp)$/.test(text)],
  [/_PORT(?:_\d{1,5}_(?:TCP|UDP|SCTP))?$/, isLink]
]

/** True for a variable of a Service, name and text. */
export function isOfKubelet (name: string, text: string): boolean {
  return name.startsWith('CHARTGATE_') && FORMS.some(([end, isItsText]) => end.test(name) && isItsText(text))
}
