// What can be wrong with an archive? The closed list, and how a fault gets out of the
// readers that find it; archive.ts turns it into a result.

export type ArchiveFault =
  | 'empty' | 'not_gzip' | 'truncated' | 'corrupt' | 'not_tar'
  | 'too_large' | 'unsafe_name' | 'forbidden_entry'
  | 'several_roots' | 'missing_chart_yaml' | 'several_chart_yaml' | 'invalid_chart_yaml'
  | 'invalid_name' | 'invalid_version'

/** A fault on its way out of the readers; its message is a sentence for a person. */
export class Fault extends Error {
  readonly fault: ArchiveFault

  constructor (fault: ArchiveFault, detail: string) {
    super(detail)
    this.fault = fault
  }
}
