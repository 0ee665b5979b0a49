import { z } from 'zod'
import { limits } from './limits.ts'

/** What a model can do for every business; no tool of a business's own has such a name. */
export const builtInTools = [
  'take_message',
  'remember_caller',
  'send_digits',
  'current_time',
  'do_not_call',
  'end_call',
  'hand_over',
  'transfer',
  'take_voicemail',
] as const

/** Secrets are named in the file and stand in the environment, under names that begin so and no others. */
export const secretName = /^TOOL_[A-Z0-9_]{1,60}$/
export const secretReference = /\$\{([^}]*)\}/g
/** In an address, the value of an argument. */
export const placeholder = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g

const wantsSecret = /^(authorization|cookie)$|key|token|secret|password|signature/i
/** What the gateway itself says in a request. */
const ownHeader =
  /^(host|connection|content-.*|transfer-encoding|upgrade|te|trailer|expect|idempotency-key|parley-.*)$/i
/** Before it nothing of a caller's can stand: who is called is the business's choice alone. */
const fixedBeginning = /^https?:\/\/[^/?#{}@\\\s]+([/?]|$)/

const words = z.string().min(1).max(1_000)
const count = z.number().int().min(0).max(limits.tools.argumentChars)
const scalar = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('string'),
    description: words.optional(),
    enum: z.array(z.string().min(1).max(200)).min(1).max(100).optional(),
    minLength: count.optional(),
    maxLength: count.default(limits.tools.argumentChars),
  }),
  z.strictObject({
    type: z.enum(['integer', 'number']),
    description: words.optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
  }),
  z.strictObject({ type: z.literal('boolean'), description: words.optional() }),
])
const parameter = z.union([
  scalar,
  z.strictObject({
    type: z.literal('array'),
    description: words.optional(),
    items: scalar,
    maxItems: z.number().int().min(1).max(100).default(20),
  }),
])
const parameterName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,39}$/, 'may hold only letters, digits and underscores')

/** As much of JSON schema as a telephone call needs; the rest is refused, for it would be promised and not kept. */
const parameters = z
  .strictObject({
    type: z.literal('object').default('object'),
    properties: z.record(parameterName, parameter).default({}),
    required: z.array(z.string()).default([]),
    additionalProperties: z.literal(false).default(false),
  })
  .superRefine(({ properties, required }, context) => {
    for (const [index, name] of required.entries()) {
      if (Object.hasOwn(properties, name)) continue
      context.addIssue({ code: 'custom', path: ['required', index], message: `"${name}" is none of the properties` })
    }
  })

const tool = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[a-z][a-z0-9_]{0,63}$/,
        'must begin with a small letter and hold only small letters, digits, underscores',
      )
      .refine(name => !builtInTools.some(each => each === name), 'is what a built-in tool is called'),
    description: words,
    parameters: parameters.prefault({}),
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET'),
    url: z.string().max(2_000),
    headers: z.record(z.string().max(100), z.string().max(2_000)).default({}),
    effect: z.enum(['read', 'write']).optional(),
    timeoutMs: z.number().int().min(100).max(limits.agent.toolMs).default(5_000),
    /** Where in the answer the result stands, such as order.status; without it the whole answer is. */
    result: z
      .string()
      .regex(/^[^.\s]+(\.[^.\s]+)*$/, 'must be a path such as order.status or items.0')
      .optional(),
  })
  .superRefine(({ url, headers, parameters }, context) => {
    const problem = problemWithAddress(url, parameters)
    if (problem) context.addIssue({ code: 'custom', path: ['url'], message: problem })
    for (const [name, value] of Object.entries(headers)) {
      const message = problemWithHeader(name, value)
      if (message) context.addIssue({ code: 'custom', path: ['headers', name], message })
    }
  })
  // What is fetched changes nothing; anything else may.
  .transform(chosen => ({ ...chosen, effect: chosen.effect ?? (chosen.method === 'GET' ? 'read' : 'write') }))

export const businessTools = z
  .array(tool)
  .max(limits.tools.perBusiness)
  .superRefine((all, context) => {
    for (const [index, { name }] of all.entries()) {
      if (all.findIndex(each => each.name === name) === index) continue
      context.addIssue({ code: 'custom', path: [index, 'name'], message: `"${name}" is there twice` })
    }
  })
  .default([])

/** A tool of a business's own: an HTTP request. */
export type HttpToolChoice = z.output<typeof businessTools>[number]

/** The secrets that these requests name and that nobody has set. */
export function missingSecrets(
  tools: readonly Pick<HttpToolChoice, 'headers'>[],
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  const named = tools.flatMap(({ headers }) =>
    Object.values(headers).flatMap(value => [...value.matchAll(secretReference)].map(([, name = '']) => name)),
  )
  return [...new Set(named)].filter(name => !environment[name]?.trim())
}

/** Of one that a business gives, whatever it is for. */
export function problemWithUrl(url: string): string | undefined {
  if (url.includes('${')) return 'holds a secret: addresses are written into logs, put it into a header'
  const sample = url.replaceAll(placeholder, 'x')
  if (/[{}]/.test(sample)) return 'has a brace that belongs to no {parameter}'
  if (!fixedBeginning.test(url) || !URL.canParse(sample)) {
    return 'must be an address such as https://shop.example.com/orders/{number}: no parameter and no password in its host'
  }
  return url.includes('#') ? 'has a part behind # that no server is ever sent' : undefined
}

function problemWithAddress(url: string, { properties, required }: z.output<typeof parameters>): string | undefined {
  const problem = problemWithUrl(url)
  if (problem !== undefined) return problem
  for (const [, name = ''] of url.matchAll(placeholder)) {
    if (!required.includes(name)) return `uses {${name}}, which is no required parameter`
    if (properties[name]?.type === 'array') return `uses {${name}}, which is a list`
  }
  return undefined
}

export function problemWithHeader(name: string, value: string): string | undefined {
  if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return 'is no name of a header'
  if (ownHeader.test(name)) return 'is set by Parley itself'
  if (!/^[\x20-\x7e]*$/.test(value)) return 'may hold only printable characters'
  const references = [...value.matchAll(secretReference)].map(([, secret = '']) => secret)
  const wrong = references.find(secret => !secretName.test(secret))
  if (wrong !== undefined) return `names \${${wrong}}: only variables whose names begin with TOOL_ are read`
  if (wantsSecret.test(name) && references.length === 0) {
    return 'looks like a secret: put it into the environment and name it here, such as ${TOOL_SHOP_KEY}'
  }
  return undefined
}
