// Which chart does a provenance file speak of? Name and version are in its signed text, quotes
// and comments and all, and ChartMuseum takes the rest of both lines as they stand for the
// name of the file that it stores.
import { textOfLine } from '../../lib/line-text.ts'
import { isChartName, isVersion } from '../../words/chart-names.ts'
import type { ChartIdentity } from './chart-yaml.ts'

export type ProvenanceResult =
  | {
    readonly ok: true
    /** As a reader of YAML has them. */
    readonly meant: ChartIdentity
    /** As they stand there. */
    readonly written: ChartIdentity
    /** It names no other chart besides, as the Chart.yaml of a subchart would. */
    readonly isOnly: boolean
  }
  | { readonly ok: false, /** a sentence for a person */ readonly detail: string }

/**
 * Reads name and version. Both lines are looked for as ChartMuseum does
 * (helm/chartmuseum v0.16.5, pkg/repo/provenance.go), and must be in what is signed.
 */
export function readProvenance (text: string): ProvenanceResult {
  if (!text.startsWith('-----BEGIN PGP SIGNED MESSAGE-----')) {
    return {
      ok: false,
      detail: text.startsWith('\x1f')
        ? 'the provenance file is not a signed message but a chart: send it to /api/TENANT/charts'
        : 'the provenance file is not a signed message'
    }
  }
  const signed = text.split('\n-----BEGIN PGP SIGNATURE-----', 1)[0] as string
  const names = valuesOf(signed, /\nname:[ *]([^\n]+)/g)
  const versions = valuesOf(signed, /\nversion:[ *]([^\n]+)/g)
  const [name, version] = [names[0], versions[0]]
  if (name === undefined || version === undefined) {
    return {
      ok: false,
      detail: 'the provenance file must name one chart and one version, ' +
        'in lines `name: NAME` and `version: VERSION` that ChartMuseum finds'
    }
  }
  const meant = { name: textOfLine(name), version: textOfLine(version) }
  if (!isChartName(meant.name) || !isVersion(meant.version)) {
    return { ok: false, detail: 'the provenance file names a chart or version that no chart can have' }
  }
  return { ok: true, meant, written: { name, version }, isOnly: names.length === 1 && versions.length === 1 }
}

function valuesOf (text: string, line: RegExp): readonly string[] {
  return [...text.matchAll(line)].map(match => match[1] as string)
}
