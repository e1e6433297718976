// Whom do certificates of clients stand for now? A part of the configuration's own file: what
// it takes away counts with everything else that the file says, and so does what it adds.
import { compileCertificates, type CertificateAccounts } from '../identity/certificate-accounts.ts'
import type { Config } from '../config/schema.ts'
import { createLive, type Live } from '../lib/live.ts'
import type { LivePart } from './part.ts'

export type LiveCertificates = Live<CertificateAccounts>

export function openCertificates ({ identity }: Pick<Config, 'identity'>): LiveCertificates {
  return createLive(compileCertificates(identity.certificates as Entries))
}

type Entries = Parameters<typeof compileCertificates>[0]

export function certificatesPart (live: LiveCertificates): LivePart {
  return {
    files: async () => [],
    async load ({ config: { identity } }) {
      live.current = compileCertificates(identity.certificates as Entries)
      return { changed: [], mistakes: [], again: false } // its key is one of the settings
    }
  }
}
