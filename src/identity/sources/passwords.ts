// Is this the user's password? Slow hashes, off the event loop: argon2id for what is made
// here, bcrypt for what comes from htpasswd. What a hash would cut off or stop at is
// refused before it is hashed, so no two passwords are the same by accident. How many run
// at a time, and whose, is the business of limits/attempts.ts.

/** bcrypt reads no more bytes than these (Provos and Mazières, 1999; Okta's incident of October 2024). */
const LONGEST_FOR_BCRYPT = 72
const LONGEST_PASSWORD = 1024
/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** What a check may cost: more is a mistake in a file, or somebody's way to stop everything. */
const MOST_MEMORY = 1024 * 1024
const MOST_PASSES = 20
const MOST_BCRYPT_COST = 15

export interface Passwords {
  /**
   * What has to be computed to know whether the password is the hash's; undefined when nothing
   * has to be, because it is no password at all.
   * @param hash one that hashFault takes
   */
  comparison (password: string, hash: string): Comparison | undefined
}

export type Comparison = () => Promise<boolean>

/** The two libraries' `verify`; tests count their calls. */
export interface Hashers {
  argon2 (hash: string, password: string): Promise<boolean>
  bcrypt (hash: string, password: string): Promise<boolean>
}

/**
 * Native code of 4 MiB each, loaded with the first hash of its kind: when an accounts
 * file is read, so that a start says it when one is missing.
 */
const LIBRARIES = {
  argon2: async () => await import('@node-rs/argon2'),
  bcrypt: async () => await import('@node-rs/bcrypt')
}

const HASHERS: Hashers = {
  argon2: async (hash, password) => await (await LIBRARIES.argon2()).verify(hash, password),
  bcrypt: async (hash, password) => await (await LIBRARIES.bcrypt()).verify(password, hash)
}

export function createPasswords (hashers: Hashers = HASHERS): Passwords {
  return {
    comparison (password, hash) {
      if (passwordFault(password, isBcrypt(hash)) !== undefined) return undefined
      return isBcrypt(hash) ? () => hashers.bcrypt(hash, password) : () => hashers.argon2(hash, password)
    }
  }
}

/** The hash of a new password, to be written into an accounts file. */
export async function hashPassword (password: string): Promise<string> {
  return await (await LIBRARIES.argon2()).hash(password, PARAMETERS)
}

/** What keeps a text from being a password, in a sentence; undefined when nothing does. */
export function passwordFault (password: string, bcrypt = false): string | undefined {
  if (password === '') return 'the password is empty'
  if (password.includes('\0')) return 'the password has a NUL byte'
  const most = bcrypt ? LONGEST_FOR_BCRYPT : LONGEST_PASSWORD
  return Buffer.byteLength(password) > most ? `the password is longer than ${most} bytes` : undefined
}

/**
 * What is wrong with a hash of a file, in a sentence; undefined when it can be used, and
 * the library that checks it is loaded.
 */
export async function hashFault (hash: string, libraries: typeof LIBRARIES = LIBRARIES): Promise<string | undefined> {
  const kind = isBcrypt(hash) ? 'bcrypt' : hash.startsWith('$argon2id$') ? 'argon2' : undefined
  if (kind === undefined) return 'it is neither an argon2id nor a bcrypt hash'
  try {
    if (kind === 'argon2') return argon2Fault(hash, await libraries.argon2())
    await libraries.bcrypt()
    return bcryptFault(hash)
  } catch (error) {
    const reason = /^[^.\n]*/.exec((error as Error).message)?.[0]
    return `what checks it, @node-rs/${kind}, cannot be loaded on this machine: ` +
      `install chartgate here with npm ci (${reason})`
  }
}

function argon2Fault (hash: string, { parseOptions }: typeof import('@node-rs/argon2')): string | undefined {
  try {
    const { memoryCost, timeCost } = parseOptions(hash)
    return memoryCost > MOST_MEMORY || timeCost > MOST_PASSES
      ? `it costs more than ${MOST_MEMORY / 1024} MiB or ${MOST_PASSES} passes`
      : undefined
  } catch {
    return 'it is not complete, or not a hash'
  }
}

/** Two digits of cost, 22 characters of salt and 31 of the hash itself. */
function bcryptFault (hash: string): string | undefined {
  const cost = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash)?.[1]
  if (cost === undefined || Number(cost) < 4) return 'it is not complete, or not a hash'
  return Number(cost) > MOST_BCRYPT_COST ? `its cost is above ${MOST_BCRYPT_COST}` : undefined
}

function isBcrypt (hash: string): boolean {
  return /^\$2[aby]\$/.test(hash)
}
