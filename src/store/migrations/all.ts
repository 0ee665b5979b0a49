import type { Migration } from 'kysely/migration'
import { calls } from './0001-calls.ts'
import { transfers } from './0002-transfers.ts'
import { carrier } from './0003-carrier.ts'
import { openAccounts } from './0004-open-accounts.ts'
import { kept } from './0005-kept.ts'
import { forgetting } from './0006-forgetting.ts'
import { notices } from './0007-notices.ts'

/** In this order, each once. One that has been released is never changed: what comes after it is another. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-calls': calls,
  '0002-transfers': transfers,
  '0003-carrier': carrier,
  '0004-open-accounts': openAccounts,
  '0005-kept': kept,
  '0006-forgetting': forgetting,
  '0007-notices': notices,
}
