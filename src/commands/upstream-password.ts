// Is the password of the chart repository at hand? It comes from the environment, which a
// service has and a person at a shell has not; commands that do not ask the repository do
// without it.
import type { Environment } from '../config/environment.ts'

/** The environment variable that is the password; with `_FILE` behind it, the file that holds it. */
export const PASSWORD = 'CHARTGATE_UPSTREAM_PASSWORD'

export function hasPassword (env: Environment): boolean {
  return [PASSWORD, `${PASSWORD}_FILE`].some(name => Boolean(env[name]))
}

/** With a text in the place of a password that is not there, so that everything else is looked at. */
export function withPassword (env: Environment): Environment {
  return hasPassword(env) ? env : { ...env, [PASSWORD]: 'not known here' }
}
