// The command that takes tokens back: into the file of stateDir, which the gateway there
// watches, and with redis.url into Redis, where all replicas hear of it.
import { stat } from 'node:fs/promises'
import type { Config } from '../config/schema.ts'
import { rewriteFile } from '../files/rewrite.ts'
import { CLOCK } from '../lib/clock.ts'
import { later } from '../lib/timers.ts'
import { revocationsFile } from '../live/live-revocations.ts'
import { ownGrants } from '../tokens/claims.ts'
import { isTokenId, revocationsIn, revocationText, type RevocationOf } from '../tokens/revocations.ts'
import { readToken } from '../tokens/signature.ts'
import { MASTER } from '../words/principal.ts'
import { EVERYONE, isCiSubject, isSubject, readSubject } from '../words/subject.ts'
import { fail, type Command, type ExitCode, type WrongUsage } from './command.ts'
import { configured, type Configured } from './configured.ts'
import { readCredential } from './credential.ts'
import type { Options } from './options.ts'
import { recorded } from './recorded.ts'

const REVOKE_GIVEN = recorded('token.revoke', objectOf, configured(run))

export const REVOKE: Command = {
  async run (options, env, io, words) {
    if (options.token === undefined) return await REVOKE_GIVEN.run(options, env, io, words)
    const read = await readCredential(options, io)
    if (!read.ok) return fail(io, read.message)
    return await REVOKE_GIVEN.run({ ...options, token: read.text }, env, io, words)
  }
}

async function run ({ config, io, options }: Configured): Promise<ExitCode | WrongUsage> {
  const { of, wrong } = readOptions(options)
  if (of === undefined) return { wrong: [wrong] }
  const now = CLOCK.wall()
  const text = revocationText(of, now, config.tokens.ttl)
  const mistakes = await write(config, text, now)
  if (mistakes.length > 0) return fail(io, ...mistakes)
  const mayBeOfJob = 'token' in of || isCiSubject(of.subject)
  if (mayBeOfJob && config.federation.providers.length > 0) io.stderr(`chartgate: warning: ${NOT_OF_PLATFORM}\n`)
  const what = 'token' in of ? `the token ${of.token} is` : `what was issued to ${of.subject} until now is`
  if (config.redis === undefined) {
    io.stdout(`${what} revoked at this chartgate, ${config.stateDir}, within a second\n`)
    return 0
  }
  const { revokeForAll } = await import('../replicas/replicas.ts')
  const times = { clock: () => performance.now(), later }
  const hindrance = await revokeForAll(config.redis, text, now, times)
  if (hindrance === undefined) {
    io.stdout(`${what} revoked at all replicas within a second\n`)
    return 0
  }
  return fail(io, `${what} revoked at this chartgate alone, which tells the others as soon as it can: ${hindrance}`)
}

const NOT_OF_PLATFORM = 'this is for tokens that chartgate issued: the one that a job has of its platform counts ' +
  'until it ends, or its rule of federation is taken out or changed'

type Read =
  | { readonly of: RevocationOf, readonly wrong?: undefined }
  | { readonly of?: undefined, readonly wrong: string }

/** What is to be revoked, or what is wrong with that. */
function readOptions ({ token, subject }: Options): Read {
  if ((token === undefined) === (subject === undefined)) return { wrong: 'give one of --token and --subject' }
  if (token !== undefined) {
    const id = isTokenId(token) ? token : idOf(token)
    if (typeof id === 'string' && isTokenId(id)) return { of: { token: id } }
    return { wrong: '--token is no token of chartgate, and no id (jti) of one, as docs/audit.md has it in token.id' }
  }
  const named = subject as string
  if (readSubject(named).kind === 'issuer') {
    return { wrong: `${named} has its tokens from another token server: revoke them there` }
  }
  const isOne = isSubject(named) && !['', 'group'].includes(readSubject(named).kind)
  if (isOne || isCiSubject(named) || [MASTER.subject, EVERYONE].includes(named)) return { of: { subject: named } }
  return {
    wrong: `${JSON.stringify(named)} is nobody whom tokens are issued to: user:NAME, robot:NAME, cert:NAME, ` +
      `ci:PROVIDER:NAME, ${MASTER.subject} or ${EVERYONE}`
  }
}

/** The id of a token, which has grants where it is one of ours; those of jobs have ids too. */
function idOf (token: string): unknown {
  const payload = readToken(token)?.payload
  return ownGrants(payload?.['access']) === undefined ? undefined : payload?.['jti']
}

/** For the audit log: never a token itself. */
function objectOf (options: Options): string | undefined {
  const { of } = readOptions(options)
  if (of === undefined) return undefined
  return 'token' in of ? `token:${of.token}` : of.subject
}

/** Adds it to the file, without what has ended there; what hinders that. */
async function write (config: Config, text: string, now: number): Promise<readonly string[]> {
  const { stateDir } = config
  const found = await stat(stateDir).catch(() => undefined)
  if (found === undefined) return [`stateDir ${stateDir} is not there: run this where the gateway runs`]
  const me = process.getuid?.()
  if (me !== undefined && found.uid !== me) {
    return [`stateDir ${stateDir} belongs to user ${found.uid}, and this is user ${me}: run this as that user`]
  }
  const written = await rewriteFile(revocationsFile(config), async before => {
    return { ok: true, text: [...revocationsIn(before ?? '', now), text, ''].join('\n') }
  })
  return written.ok ? [] : written.mistakes
}
