import { z } from 'zod'
import type { TypedServer } from './typed.ts'

/** For whoever may call the API at all: to others it does not even tell which paths there are. */
export function openapiRoutes(app: TypedServer, describe: () => object): void {
  const schema = { summary: 'This description', response: { 200: z.record(z.string(), z.unknown()) } }
  app.get('/openapi.json', { config: { access: 'business' }, schema }, async () => ({ ...describe() }))
}
