// What does the manifest of a chart say that is pushed? Which blobs are the config, the archive
// and the provenance of one version, in the form that Helm writes (helm/helm v3.21.4,
// pkg/registry/client.go, Push) or oras with Helm's media types. Anything else is no chart,
// and is not taken.
import { inQuotes } from '../../lib/printable.ts'
import { ARCHIVE_TYPE, CONFIG_TYPE, PROVENANCE_TYPE, type Described } from './manifest.ts'
import {
  EMPTY_JSON, descriptorIn, isObject, jsonOf, manifestInvalid, type Descriptor, type AnyManifest
} from './read-manifest.ts'

export interface PushedManifest {
  readonly config: Described
  readonly archive: Described
  readonly provenance?: Described
}

/** @throws RefusalError with a sentence about what is wrong */
export function chartIn ({ config, layers, subject }: AnyManifest): PushedManifest {
  if (subject !== undefined) {
    throw manifestInvalid('the manifest is attached to another one, and a tag is a version of the chart alone: ' +
      'push it by its digest')
  }
  if (!Array.isArray(layers)) throw manifestInvalid('the manifest has no list of layers')
  return { config: configOf(config), ...partsOf(layers.map((layer: unknown) => descriptorIn(layer, 'layer'))) }
}

/** @throws RefusalError for layers that are not those of a chart */
function partsOf (layers: readonly Descriptor[]): Pick<PushedManifest, 'archive' | 'provenance'> {
  const ofType = (type: string): Descriptor[] => layers.filter(({ mediaType }) => mediaType === type)
  const [archives, provenances] = [ofType(ARCHIVE_TYPE), ofType(PROVENANCE_TYPE)]
  const foreign = layers.find(layer => !archives.includes(layer) && !provenances.includes(layer))
  if (foreign !== undefined) {
    const shown = inQuotes(foreign.mediaType, LONGEST_SHOWN)
    throw manifestInvalid(`a layer is ${shown}, and charts alone are taken here: push with helm, or as ${ARCHIVE_TYPE}`)
  }
  const [[archive, ...others], [provenance, ...more]] = [archives, provenances]
  if (archive === undefined || others.length > 0 || more.length > 0) {
    throw manifestInvalid('a chart is one archive, with one provenance file at most')
  }
  return { archive, ...(provenance === undefined ? {} : { provenance }) }
}

const LONGEST_SHOWN = 100

interface ChartIdentity {
  readonly name: string
  readonly version: string
}

/**
 * What a config says of the chart has to be its name and version; all else of it is not looked
 * at, and given to who asks for this digest alone.
 * @throws RefusalError when it says something else
 */
export function checkConfig (bytes: Buffer, { name, version }: ChartIdentity): void {
  if (bytes.equals(EMPTY_JSON.bytes)) return
  const config = jsonOf(bytes.toString('utf8'))
  if (isObject(config) && config['name'] === name && config['version'] === version) return
  throw manifestInvalid(`the config says another name or version than the archive, which is ${name} ${version}`)
}

function configOf (config: unknown): Described {
  const described = descriptorIn(config, 'config')
  if (described.mediaType !== CONFIG_TYPE && described.hex !== EMPTY_JSON.hex) {
    throw manifestInvalid(`the config of a chart is ${CONFIG_TYPE}, or empty`)
  }
  return described
}
