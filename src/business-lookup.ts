import { z } from 'zod'
import { placeholder, problemWithHeader, problemWithUrl } from './business-tools.ts'
import { limits } from './limits.ts'

const parameterName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,39}$/, 'may hold only letters, digits, underscores and dashes')

/** Who calls, asked of the business's own records by one HTTP request while the telephone still rings. */
export const businessLookup = z
  .strictObject({
    url: z.string().max(2_000),
    method: z.enum(['GET', 'POST']).default('GET'),
    headers: z.record(z.string().max(100), z.string().max(2_000)).default({}),
    /** What of the call is sent, and nothing else: callerNumber, calledNumber, and parameters of the SIP address. */
    parameters: z.array(parameterName).min(1).max(limits.lookup.parameters).default(['callerNumber']),
    timeoutMs: z.number().int().min(50).max(limits.lookup.mostMs).default(800),
    cacheSeconds: z.number().int().min(0).max(limits.lookup.cacheSeconds).default(60),
  })
  .superRefine(({ url, headers, parameters }, context) => {
    const problem = problemWithAddress(url, parameters)
    if (problem) context.addIssue({ code: 'custom', path: ['url'], message: problem })
    for (const [name, value] of Object.entries(headers)) {
      const message = problemWithHeader(name, value)
      if (message) context.addIssue({ code: 'custom', path: ['headers', name], message })
    }
  })

export type LookupChoice = z.output<typeof businessLookup>

function problemWithAddress(url: string, parameters: readonly string[]): string | undefined {
  const problem = problemWithUrl(url)
  if (problem !== undefined) return problem
  const unknown = [...url.matchAll(placeholder)].find(([, name = '']) => !parameters.includes(name))
  return unknown && `uses ${unknown[0]}, which is none of its parameters`
}
