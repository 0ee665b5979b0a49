import { z } from 'zod'

export const e164 = z
  .string()
  .regex(/^\+[1-9][0-9]{6,14}$/, 'must be a telephone number in international form, such as +15551234567')

/** Names with a meaning of their own where destinations are dialled. */
const reservedKeys = ['fallback', 'trunk']

/** What of the environment a business may name as a password. */
export const sipPasswordName = /^SIP_[A-Z0-9_]{1,50}_PASSWORD$/

/** As a PBX asks for it; Asterisk's configuration must be able to hold it. */
export const sipUsername = {
  form: /^[A-Za-z0-9_.@+-]{1,100}$/,
  words: 'may hold only letters, digits and . _ - + @, at most 100',
}

const passwordReference = z.string().refine(text => sipPasswordName.test(passwordVariable(text) ?? ''), {
  message:
    'must name a variable of the environment that begins with SIP_ and ends with _PASSWORD, such as ${SIP_PBX_PASSWORD}',
})

const destination = z
  .strictObject({
    /** As the agent says it. */
    name: z.string().min(1).max(100),
    /** `sip:2000@10.0.0.5:5060;transport=tcp`, an extension of FREEPBX_DOMAIN, or a number through TWILIO_SIP_TRUNK_DOMAIN. */
    address: z.string().min(1).max(200),
    /** What it is for, as the agent is told. */
    description: z.string().min(1).max(300).optional(),
    mode: z.enum(['blind', 'attended']).default('blind'),
    /** `carrier`: not dialled from here; the carrier takes the caller back and dials it, and no call is held here meanwhile. */
    via: z.literal('carrier').optional(),
    ringSeconds: z.number().int().min(5).max(120).optional(),
    /** Whom it sees calling: the caller, the trunk's number, or a number of its own. */
    callerId: z.union([z.enum(['original', 'trunk']), e164]).optional(),
    /** Where the PBX asks for them; the password as ${SIP_..._PASSWORD}, which the environment holds. */
    username: z.string().regex(sipUsername.form, sipUsername.words).optional(),
    password: passwordReference.optional(),
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    message: 'needs a username and a password together, or neither',
  })
  .refine(({ via, mode, username }) => via === undefined || (mode === 'blind' && username === undefined), {
    message: 'by the carrier is blind, and knows no username',
  })

/** Where calls are transferred to without the model's deciding it; each names a destination. */
export const transfers = z
  .strictObject({
    /** For a caller who asks for a person; left out: the first. */
    person: z.string(),
    /** Keys that lead to a destination whatever is being said. */
    keys: z.record(z.string().regex(/^[0-9*#]$/), z.string(), {
      error: ({ code }) => (code === 'invalid_key' ? 'must be one key of a telephone: 0 to 9, * or #' : undefined),
    }),
    /** When the engine has failed; left out: the fallback. */
    onFailure: z.string(),
    /** What the caller hears meanwhile. */
    waiting: z.enum(['ringing', 'music']),
    /** Told of each transfer before it rings: who calls and why, for whoever's screen shows it. */
    webhook: z.url({
      protocol: /^https?$/,
      error: 'must be an address of http or https, such as https://desk.example.com/calls',
    }),
  })
  .partial()

export const destinations = z
  .array(destination)
  .max(50)
  .superRefine((all, context) => {
    for (const [index, { name }] of all.entries()) {
      const earlier = all.slice(0, index).map(each => each.name)
      const message = problemWithName(name, earlier)
      if (message) context.addIssue({ code: 'custom', path: [index, 'name'], message })
    }
  })

/** As they were written, right or not. */
interface WrittenDestination {
  readonly address?: unknown
  readonly callerId?: unknown
  readonly via?: unknown
  readonly username?: unknown
  readonly password?: unknown
}

/** Each in words that begin with what is wrong of it: `address: ...`. */
export type ProblemsOfDestination = (destination: WrittenDestination) => readonly string[]

/** Of a choice that may be anything, beyond its form. */
export function problemsOfDestinations(choice: unknown, problemsOf: ProblemsOfDestination = () => []): string[] {
  const { destinations } = Object(choice) as { destinations?: unknown }
  if (!Array.isArray(destinations)) return []
  return destinations.flatMap((each, at) =>
    problemsOf(Object(each) as WrittenDestination).map(problem => `destinations.${at}.${problem}`),
  )
}

interface Transferring {
  readonly destinations: readonly { readonly name: string }[]
  readonly transfers: z.infer<typeof transfers>
}

/** Transfers lead to destinations of the business, and nowhere else. */
export function strayTransfers({ destinations, transfers }: Transferring): string[] {
  const { person, onFailure, keys = {} } = transfers
  const named: (readonly [string, string | undefined])[] = [
    ['person', person],
    ['onFailure', onFailure],
    ...Object.entries(keys).map(([key, name]) => [`keys.${key}`, name] as const),
  ]
  const names = destinations.map(({ name }) => name)
  const known = names.length > 0 ? `there are: ${names.join(', ')}` : 'there are none'
  return named.flatMap(([where, name]) =>
    name === undefined || names.includes(name)
      ? []
      : [`transfers.${where}: "${name}" is none of the business's destinations (${known})`],
  )
}

/** What a destination is dialled by: "Front Desk" is `front-desk`. Different for each destination of a business. */
export function destinationKey(name: string): string {
  return slug(name)
}

/** The name in `${SIP_PBX_PASSWORD}`. */
export function passwordVariable(text: string): string | undefined {
  return /^\$\{(\w+)\}$/.exec(text)?.[1]
}

export function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

function problemWithName(name: string, earlier: readonly string[]): string | undefined {
  const key = destinationKey(name)
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(key)) {
    return `"${name}" cannot be dialled by: it must begin with a letter from a to z and have at most 31 characters`
  }
  if (reservedKeys.includes(key)) return `"${name}" has a meaning of its own; choose another name`
  const same = earlier.find(each => destinationKey(each) === key)
  if (same === undefined) return undefined
  return `"${name}" and "${same}" are the same to whoever dials them (${key}); choose names that differ in letters or digits`
}
