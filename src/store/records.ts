import { changeBusiness, createBusiness, readBusinesses, versionsOfBusinesses } from './businesses.ts'
import type { BusinessRecords } from './directory.ts'
import type { Store } from './store.ts'

/** The businesses of this database, for the directory, which is everybody's. */
export function recordsIn(store: Pick<Store, 'ask'>): BusinessRecords {
  return {
    versions: () => store.ask(db => versionsOfBusinesses(db, 'all')),
    read: ids => store.ask(db => readBusinesses(db, 'all', ids)),
    create: change => store.ask(db => createBusiness(db, 'all', change)),
    change: (change, ifVersion) => store.ask(db => changeBusiness(db, 'all', change, ifVersion)),
  }
}
