import { type RawBuilder, sql } from 'kysely'

/** Whose rows a query may see: one business's, or everybody's for the operator. No query may forget to say which. */
export type StoreScope = { readonly business: string } | 'all'

/** The condition that holds a query to it. */
export function isWithin(scope: StoreScope, business: 'business' | 'businesses.id' = 'business'): RawBuilder<boolean> {
  return scope === 'all' ? sql<boolean>`true` : sql<boolean>`${sql.ref(business)} = ${scope.business}`
}
