// Which chart does a provenance file speak of? ChartMuseum takes name and version as
// they stand in it for the name of a file, quotes and all.
import { isChartName, isVersion } from '../../words/chart-names.ts'

export type ProvenanceResult =
  | { readonly ok: true, readonly name: string, readonly version: string }
  | { readonly ok: false, /** a sentence for a person */ readonly detail: string }

/**
 * Reads name and version. Both lines are looked for as ChartMuseum does
 * (helm/chartmuseum v0.16.5, pkg/repo/provenance.go), and must be there once.
 */
export function readProvenance (text: string): ProvenanceResult {
  if (!text.startsWith('-----BEGIN PGP SIGNED MESSAGE-----')) {
    return { ok: false, detail: 'the provenance file is not a signed message' }
  }
  const signed = text.split('\n-----BEGIN PGP SIGNATURE-----', 1)[0] as string
  const [name, ...moreNames] = [...signed.matchAll(/\nname:[ *]([^\n]+)/g)].map(match => match[1] as string)
  const [version, ...moreVersions] = [...signed.matchAll(/\nversion:[ *]([^\n]+)/g)].map(match => match[1] as string)
  if (name === undefined || version === undefined || moreNames.length + moreVersions.length > 0) {
    return { ok: false, detail: 'the provenance file must name one chart and one version' }
  }
  if (!isChartName(name) || !isVersion(version)) {
    return {
      ok: false,
      detail: 'the provenance file names a chart or version that no chart can have, or has it in quotes'
    }
  }
  return { ok: true, name, version }
}
