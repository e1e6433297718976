// Does a pax extended header say nothing but a longer name? What else changes how the
// entry behind it is read is refused, because readers differ in it (POSIX.1-2017, pax,
// "pax Extended Header").
import { Fault } from './fault.ts'

// A size of its own, GNU's sparse files, another character set.
const CHANGES_READING = /^(?:size|hdrcharset|linkpath|GNU\.sparse\..*)$/

/** Checks the records of an extended header. @throws Fault corrupt, unsafe_name, forbidden_entry */
export function checkPax (body: Buffer, type: 'x' | 'g'): void {
  let names = 0
  for (const [key, value] of paxRecords(body)) {
    if (CHANGES_READING.test(key)) {
      throw new Fault('forbidden_entry', 'the archive has an extended header that changes how its files are read')
    }
    if (key !== 'path') continue
    // One name for all files: GNU tar and others take it, Go does not.
    if (type === 'g') {
      throw new Fault('forbidden_entry', 'the archive has an extended header that names all of its files')
    }
    if (++names > 1 || value.length === 0 || value.includes(0)) {
      throw new Fault('unsafe_name', 'the archive has an extended header with an empty, a cut or a second name')
    }
  }
}

/** Records of the form `<length> <key>=<value>\n`, the length counting all of it. */
function * paxRecords (body: Buffer): Generator<[string, Buffer]> {
  for (let start = 0; start < body.length;) {
    const space = body.indexOf(0x20, start)
    const digits = space < 0 || space - start > 7 ? '' : body.toString('latin1', start, space)
    const end = /^[1-9]\d*$/.test(digits) ? start + Number(digits) : 0
    const equals = body.indexOf(0x3d, space)
    if (end > body.length || equals < 0 || equals >= end || body[end - 1] !== 0x0a) {
      throw new Fault('corrupt', 'the archive has an extended header that is damaged')
    }
    yield [body.toString('latin1', space + 1, equals), body.subarray(equals + 1, end - 1)]
    start = end
  }
}
