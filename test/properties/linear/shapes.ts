// Which texts take long to read, if any do? Runs of one character or of a few, texts that
// open and close, stairs; after what makes a reader begin, and before what makes it wrong.
import fc from 'fast-check'

export interface Shape {
  readonly start: string
  readonly kind: 'run' | 'mirror' | 'stairs'
  readonly unit: string
  readonly end: string
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '<': '>' }

/** A text of this shape, of about so many characters. */
export function textOf ({ start, kind, unit, end }: Shape, length: number): string {
  const room = Math.max(length - start.length - end.length, unit.length)
  switch (kind) {
    case 'run': return start + repeated(unit, room) + end
    case 'mirror': {
      const half = repeated(unit, room / 2)
      return start + half + [...half].reverse().map(each => CLOSING[each] ?? each).join('') + end
    }
    case 'stairs': {
      // Each line one column further right: their number is about the root of the length.
      const lines: string[] = []
      for (let left = room; left > 0; left -= lines.length + unit.length) lines.push(' '.repeat(lines.length) + unit)
      return start + lines.join('\n') + end
    }
  }
}

function repeated (unit: string, length: number): string {
  return unit.repeat(Math.max(1, Math.floor(length / unit.length)))
}

export interface Alphabet {
  /** What makes a reader begin. */
  readonly starts?: readonly string[]
  /** What means something here, besides single characters. */
  readonly units?: readonly string[]
  readonly ends?: readonly string[]
  /** Whether lines and levels mean something. */
  readonly isText?: boolean
  /** Only these; all that mean something when left out. */
  readonly kinds?: readonly Shape['kind'][]
}

const CHARACTERS = [...'a0Wvx1_-+.,;:=/?&%#!@*|~^$\'"`\\()[]{}<> \t']
const ENDS = ['', '!', 'x', '"', ' ', '0', '=']

/** Each character on its own, and what means something behind each start; then whatever chance makes of them. */
export function shapesOf ({ starts = [], units = [], ends = [], isText = false, kinds = isText ? ['run', 'mirror', 'stairs'] : ['run', 'mirror'] }: Alphabet): { readonly always: Shape[], readonly some: fc.Arbitrary<Shape> } {
  const allStarts = ['', ...starts]
  const characters = [...CHARACTERS, ...isText ? ['\n', '\r\n'] : []]
  // Where a text may be of many lines each costs more to measure: chance sees to the rest.
  const before = isText ? [starts[0] ?? ''] : allStarts
  return {
    always: [
      ...before.flatMap(start => [...characters, ...units].flatMap(unit => kinds.slice(0, 1).map((kind): Shape => ({ start, kind, unit, end: '!' })))),
      ...units.flatMap(unit => kinds.flatMap(kind => ['', ...ends.slice(0, 1)].map((end): Shape => ({ start: '', kind, unit, end }))))
    ],
    some: fc.record({
      start: fc.constantFrom(...allStarts),
      kind: fc.constantFrom(...kinds),
      unit: fc.array(fc.constantFrom(...characters, ...units), { minLength: 1, maxLength: 4 }).map(each => each.join('')),
      end: fc.constantFrom(...ENDS, ...ends)
    })
  }
}
