// Whom do certificates of clients stand for now? A part of the configuration's own file: what
// it takes away counts with everything else that the file says, and so does what it adds.
import { compileCertificates, type CertificateAccounts } from '../identity/certificate-accounts.ts'
import type { Config } from '../config/schema.ts'
import { createLive, type Live } from '../lib/live.ts'
import type { LivePart } from './part.ts'

export type LiveCertificates = Live<CertificateAccounts>

export function openCertificates (config: Pick<Config, 'identity'>): LiveCertificates {
  return createLive(compiled(config))
}

/** Puts in force what this configuration says. */
export function putCertificates (live: LiveCertificates, config: Pick<Config, 'identity'>): void {
  live.current = compiled(config)
}

function compiled ({ identity }: Pick<Config, 'identity'>): CertificateAccounts {
  return compileCertificates(identity.certificates as Entries)
}

type Entries = Parameters<typeof compileCertificates>[0]

export function certificatesPart (live: LiveCertificates): LivePart {
  return {
    files: async () => [],
    async load ({ config }) {
      putCertificates(live, config)
      return { changed: [], mistakes: [], again: false } // its key is one of the settings
    }
  }
}
