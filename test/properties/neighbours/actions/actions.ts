// Everything that hostile clients do: a new action is a new row in one of these tables.
import type { Action } from '../client.ts'
import { BROKEN_UPLOADS } from './broken-uploads.ts'
import { CHANGES } from './changes.ts'
import { COSTS } from './costs.ts'
import { HALVES } from './halves.ts'
import { LOGINS } from './logins.ts'
import { READS } from './reads.ts'
import { UPLOADS } from './uploads.ts'

export const ACTIONS: readonly Action[] = [
  ...READS, ...HALVES, ...UPLOADS, ...BROKEN_UPLOADS, ...LOGINS, ...CHANGES, ...COSTS
]
