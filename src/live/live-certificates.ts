// Whom do certificates of clients stand for now? A part of the configuration's own file: what
// it takes away counts with everything else that the file says, and so does what it adds.
import { compileCertificates, type CertificateAccounts } from '../identity/certificate-accounts.ts'
import type { Config } from '../config/schema.ts'
import { createCurrent, type Current } from '../lib/current.ts'
import type { LivePart } from './reload.ts'

export type LiveCertificates = Current<CertificateAccounts>

export function openCertificates ({ identity }: Pick<Config, 'identity'>): LiveCertificates {
  return createCurrent(compileCertificates(identity.certificates as Entries))
}

type Entries = Parameters<typeof compileCertificates>[0]

export function certificatesPart (live: LiveCertificates): LivePart {
  return {
    files: async () => [],
    async load ({ config: { identity } }) {
      live.replace(compileCertificates(identity.certificates as Entries))
      return { mistakes: [], again: false }
    }
  }
}
