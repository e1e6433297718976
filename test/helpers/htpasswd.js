// Apache's `htpasswd -niB NAME`, where it is not installed: the password comes from
// standard input, the line of the file goes to standard output.
import { text } from 'node:stream/consumers'
import { hash } from '@node-rs/bcrypt'

const [options, name] = process.argv.slice(2)
if (options !== '-niB') throw new Error('only htpasswd -niB NAME is known here')
const made = await hash((await text(process.stdin)).replace(/\n$/, ''), 5)
console.log(`${name}:${made.replace(/^\$2b\$/, '$2y$')}\n`)
