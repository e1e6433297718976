// What does a pax extended header say? Only a longer name is of use; what else changes
// how the entry behind it is read is refused, because readers differ in it
// (POSIX.1-2017, pax, "pax Extended Header").
import { Fault } from './fault.ts'
import { readText } from './tar-header.ts'

// A size of its own, GNU's sparse files, another character set.
const CHANGES_READING = /^(?:size|hdrcharset|linkpath|GNU\.sparse\..*)$/

/** The name in an extended header; undefined when it has none. @throws Fault corrupt, unsafe_name, forbidden_entry */
export function readPaxPath (body: Buffer): string | undefined {
  let path: string | undefined
  for (const [key, value] of paxRecords(body)) {
    if (key === 'path') {
      if (path !== undefined || value.length === 0 || value.includes(0)) throw new Fault('unsafe_name', 'the archive has an extended header with an empty or a second name')
      path = readText(value)
    } else if (CHANGES_READING.test(key)) {
      throw new Fault('forbidden_entry', 'the archive has an extended header that changes how its files are read')
    }
  }
  return path
}

/** Records of the form `<length> <key>=<value>\n`, the length counting all of it. */
function * paxRecords (body: Buffer): Generator<[string, Buffer]> {
  for (let start = 0; start < body.length;) {
    const space = body.indexOf(0x20, start)
    const digits = space < 0 || space - start > 7 ? '' : body.toString('latin1', start, space)
    const end = /^[1-9]\d*$/.test(digits) ? start + Number(digits) : 0
    const equals = body.indexOf(0x3d, space)
    if (end > body.length || equals < 0 || equals >= end || body[end - 1] !== 0x0a) throw new Fault('corrupt', 'the archive has an extended header that is damaged')
    yield [body.toString('latin1', space + 1, equals), body.subarray(equals + 1, end - 1)]
    start = end
  }
}
