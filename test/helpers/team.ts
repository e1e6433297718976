// A gateway in this process with people and robots: what the tests about them share. It
// counts which hashes are computed, and the stub behind it counts what it was asked.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as argon2 from '@node-rs/argon2'
import * as bcrypt from '@node-rs/bcrypt'
import type { IncomingHttpHeaders } from 'undici/types/header.js'
import { request } from 'undici'
import type { Config } from '../../src/config/schema.ts'
import type { Clock } from '../../src/lib/clock.ts'
import type { Spent } from '../../src/tokens/spent.ts'
import { createPasswords, type Hashers } from '../../src/identity/sources/passwords.ts'
import { digestOf } from '../../src/identity/sources/robot-secret.ts'
import { cheapBcrypt, cheapHash } from './accounts.ts'
import { startApp, type TestGateway } from './app.ts'
import type { TestLike } from './folder.ts'
import { temporaryFolder } from './processes.ts'
import { recordToken } from './secrets.ts'
import { startStubUpstream, type StubUpstream } from './stub-upstream.ts'

export interface Person {
  readonly name: string
  readonly password: string
  readonly groups?: readonly string[]
  readonly disabled?: boolean
  /** argon2id if left out. */
  readonly kind?: 'argon2id' | 'bcrypt'
}

export interface Program {
  readonly name: string
  readonly secrets: readonly string[]
  readonly groups?: readonly string[]
  readonly disabled?: boolean
}

export interface TeamOptions {
  readonly people?: readonly Person[]
  readonly robots?: readonly Program[]
  readonly policy?: Config['policy']
  readonly config?: (config: Config) => Config
  /** Seconds since the epoch, of a clock that nobody sets. */
  readonly now?: () => number
  readonly clock?: Clock
  /** Which tokens of jobs were exchanged; default: the gateway's own, since ever. */
  readonly spent?: Spent
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Ask {
  readonly method?: string
  readonly authorization?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export interface Team {
  readonly gateway: TestGateway
  readonly stub: StubUpstream
  /** Which hashes were computed, in order. */
  readonly hashed: ('argon2' | 'bcrypt')[]
  ask (path: string, options?: Ask): Promise<Answer>
  /** Asks the token endpoint; the token's claims, with the answer. */
  token (query: string, options?: Ask): Promise<Answer & { readonly token: string, readonly claims: Record<string, unknown> }>
}

export function basic (user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** The text of an accounts file. */
export async function accountsFile (people: readonly Person[], robots: readonly Program[] = []): Promise<string> {
  return JSON.stringify({
    users: await Promise.all(people.map(async ({ name, password, kind, groups = [], disabled = false }) => ({ name, passwordHash: await (kind === 'bcrypt' ? cheapBcrypt(password) : cheapHash(password)), groups, disabled }))),
    robots: robots.map(({ name, secrets, groups = [], disabled = false }) => ({ name, secrets: secrets.map(secret => ({ hash: `sha256:${digestOf(secret)}` })), groups, disabled }))
  })
}

export async function startTeam (t: TestLike, { people = [], robots = [], policy = [], config: change = config => config, now, clock, spent }: TeamOptions): Promise<Team> {
  const file = join(await temporaryFolder(t), 'accounts.yaml')
  writeFileSync(file, await accountsFile(people, robots))
  const hashed: Team['hashed'] = []
  const hashers: Hashers = {
    argon2: async (hash, password) => { hashed.push('argon2'); return await argon2.verify(hash, password) },
    bcrypt: async (hash, password) => { hashed.push('bcrypt'); return await bcrypt.verify(password, hash) }
  }
  const stub = await startStubUpstream(t)
  stub.answer = ({ method }) => method === 'POST' ? { status: 201, body: '{"saved":true}' } : { headers: { 'content-type': 'application/x-yaml' }, body: 'apiVersion: v1\nentries: {}\n' }
  const gateway = await startApp(t, {
    origin: stub.origin,
    config: config => change({ ...config, accounts: { files: [file] }, policy }),
    passwords: createPasswords(hashers),
    ...(now === undefined ? {} : { now }),
    ...(clock === undefined ? {} : { clock }),
    ...(spent === undefined ? {} : { spent })
  })

  const ask = async (path: string, { method = 'GET', authorization, headers = {}, body }: Ask = {}): Promise<Answer> => {
    const answer = await request(gateway.url + path, { method, headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) }, ...(body === undefined ? {} : { body }) })
    return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() }
  }
  return {
    gateway,
    stub,
    hashed,
    ask,
    async token (query, options = {}) {
      const answer = await ask(`/oauth/token${query}`, options)
      const { access_token: token = '' } = JSON.parse(answer.body) as { access_token?: string }
      const claims = token === '' ? '' : recordToken(token).split('.')[1] as string
      return { ...answer, token, claims: claims === '' ? {} : JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown> }
    }
  }
}

/** A form as clients send it. */
export function form (parameters: Readonly<Record<string, string>>): Ask {
  return { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(parameters).toString() }
}
