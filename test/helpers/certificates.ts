// Certificates for tests, made with openssl as people make them: an authority, and what it
// issues. Every key is one of this run, and is looked for in every log.
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { recordSecret } from './secrets.ts'

export interface Issued {
  /** Files. */
  readonly cert: string
  readonly key: string
  /** What is in them. */
  readonly certText: string
  readonly keyText: string
}

export interface Issue {
  /** As openssl's -subj: /O=Example/CN=ci */
  readonly subject?: string
  /** As openssl's subjectAltName; default: localhost and 127.0.0.1. Empty: none. */
  readonly names?: string
  /** As openssl's extendedKeyUsage; empty: none. */
  readonly usage?: string
  /** From today; negative: it has ended. */
  readonly days?: number
  readonly isAuthority?: boolean
  /** What `names` may refer to, such as @alt for [alt]. */
  readonly section?: string
}

export class Authority {
  readonly cert: string
  readonly certText: string
  private readonly dir: string
  private readonly key: string
  private count = 0

  private constructor (dir: string, { cert, key, certText }: Issued) {
    this.dir = dir
    this.cert = cert
    this.certText = certText
    this.key = key
  }

  /** A root of its own. @param dir where its files and those of what it issues lie */
  static make (dir: string, subject = '/O=Lab/CN=Lab Root', days = 30): Authority {
    mkdirSync(dir, { recursive: true })
    const files = newKey(dir, 'authority')
    openssl('req', '-x509', '-new', '-key', files.key, '-out', files.cert, '-subj', subject, '-utf8', '-days', String(days))
    return new Authority(dir, read(files))
  }

  issue ({ subject = '/CN=localhost', names = 'DNS:localhost,IP:127.0.0.1', usage = '', days = 30, isAuthority = false, section = '' }: Issue = {}): Issued {
    const name = `issued-${++this.count}`
    const files = newKey(this.dir, name)
    const at = (end: string): string => join(this.dir, `${name}.${end}`)
    const extensions = { basicConstraints: isAuthority ? 'critical,CA:TRUE' : 'CA:FALSE', subjectAltName: names, extendedKeyUsage: usage }
    writeFileSync(at('ext'), Object.entries(extensions).filter(([, value]) => value !== '').map(([key, value]) => `${key}=${value}\n`).join('') + section)
    openssl('req', '-new', '-key', files.key, '-out', at('csr'), '-subj', subject, '-utf8')
    openssl('x509', '-req', '-in', at('csr'), '-CA', this.cert, '-CAkey', this.key, '-days', String(days), '-extfile', at('ext'), '-out', files.cert)
    return read(files)
  }

  /** An authority below this one. */
  intermediate (dir: string, subject = '/O=Lab/CN=Lab Intermediate'): Authority {
    mkdirSync(dir, { recursive: true })
    return new Authority(dir, this.issue({ subject, names: '', isAuthority: true }))
  }
}

function newKey (dir: string, name: string): Pick<Issued, 'cert' | 'key'> {
  const key = join(dir, `${name}.key`)
  // What openssl genpkey writes, without a process for each.
  const text = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  writeFileSync(key, text, { mode: 0o600 })
  // The first line is the same in every key; the second one is in none but this.
  recordSecret(text.split('\n')[2] as string)
  return { key, cert: join(dir, `${name}.pem`) }
}

function read (files: Pick<Issued, 'cert' | 'key'>): Issued {
  return { ...files, certText: readFileSync(files.cert, 'utf8'), keyText: readFileSync(files.key, 'utf8') }
}

function openssl (...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
