// What becomes of the audit log when the configuration names another place for it, or has it
// required, while the process runs? One part of what is read again: in the process that
// writes the file, which alone can say whether it can.
import type { LivePart } from '../live/part.ts'
import type { OpenedAudit } from './audit.ts'

export function auditPart ({ aim, aimAt }: Pick<OpenedAudit, 'aim' | 'aimAt'>): LivePart {
  return {
    files: async () => [], // it is written here, and nobody else's to change
    async load ({ config: { audit } }) {
      const { file, required } = aim.current
      const mistake = await aimAt(audit)
      if (mistake !== undefined) return { changed: [], mistakes: [mistake], again: true }
      const changed = [
        ...audit.file === file ? [] : ['audit.file'],
        ...audit.required === required ? [] : ['audit.required']
      ]
      return { changed, mistakes: [], again: false }
    }
  }
}
