import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Transcription, TranscriptionCreateParamsNonStreaming } from 'openai/resources/audio/transcriptions'
import type {
  Response,
  ResponseCreateParamsNonStreaming,
  ResponseOutputMessage,
} from 'openai/resources/responses/responses'

/** Once, at the next request of its kind. `malformed`: 200, and no JSON; `lost`: it is counted, and its answer never arrives. */
export type HttpFault =
  | { readonly status: number; readonly code?: string; readonly retryAfter?: string }
  | 'silent'
  | 'reset'
  | 'lost'
  | 'malformed'
  /** Of responses: a refusal in words, an answer that breaks off at its bound, one that has failed. */
  | 'refusal'
  | 'incomplete'
  | 'failed'

export interface TranscriptionAsked {
  readonly fields: Readonly<Partial<Record<keyof TranscriptionCreateParamsNonStreaming, string>>>
  readonly file: { readonly name: string; readonly type: string; readonly bytes: Buffer }
}

type Kind = 'transcription' | 'response'

/** As the wire has it: the SDK itself adds `output_text`. */
type ResponseOnTheWire = Omit<Response, 'output_text'>

const key = 'sk-test'
/** https://platform.openai.com/docs/guides/speech-to-text */
const SOUND_BYTES = 25 * 1024 * 1024
const fileTypes = ['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'ogg', 'wav', 'webm']
const transcriptionFields = new Set([
  ...['model', 'language', 'languages[]', 'prompt', 'keywords[]', 'response_format', 'temperature', 'include[]'],
  'chunking_strategy',
])
const responseFields = new Set([
  ...['model', 'input', 'instructions', 'text', 'max_output_tokens', 'store', 'metadata', 'reasoning', 'temperature'],
  ...['safety_identifier', 'truncation', 'top_p', 'prompt_cache_key'],
])

/** OpenAI's HTTP transcription and Responses, as far as Parley uses them. What is asked wrongly is refused, and told. */
export class OpenAiHttpServer {
  static readonly key = key
  readonly transcriptions: TranscriptionAsked[] = []
  readonly responses: ResponseCreateParamsNonStreaming[] = []
  /** Each is a mistake of whoever asks. */
  readonly problems: string[] = []
  /** What is heard in a sound, and what is said to a question. */
  hears: (asked: TranscriptionAsked) => string = () => 'Please call me back.'
  says: (asked: ResponseCreateParamsNonStreaming) => string = () => '{}'
  readonly #faults: { readonly at: Kind; readonly fault: HttpFault }[] = []
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  static async start(): Promise<OpenAiHttpServer> {
    const server = new OpenAiHttpServer()
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  plan(at: Kind, ...faults: readonly HttpFault[]): void {
    this.#faults.push(...faults.map(fault => ({ at, fault })))
  }

  /** Faults that are still to come. */
  get planned(): number {
    return this.#faults.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    try {
      for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
    } catch {
      return
    }
    const refuse = (status: number, message: string, code: string | null = null) =>
      send(response, status, { error: { message, type: 'invalid_request_error', param: null, code } })
    if (request.headers.authorization !== `Bearer ${key}`) return refuse(401, 'Incorrect API key.', 'invalid_api_key')
    const kind = kindOf(request)
    if (!kind) {
      this.problems.push(`${request.method} ${request.url}`)
      return refuse(404, 'There is no such thing.')
    }
    const body = Buffer.concat(pieces)
    const read = kind === 'transcription' ? await readTranscription(request, body) : readResponse(request, body)
    if (read.problems.length > 0) {
      this.problems.push(...read.problems)
      return refuse(400, read.problems.join('; '))
    }
    const fault = this.#takeFault(kind)
    if (fault === 'silent') return
    if (fault === 'reset') return void request.socket.destroy()
    if (typeof fault === 'object') {
      if (fault.retryAfter !== undefined) response.setHeader('retry-after', fault.retryAfter)
      return refuse(fault.status, 'A fault that was planned.', fault.code ?? null)
    }
    const answer = 'file' in read ? this.#transcribe(read) : this.#respond(read.asked, fault)
    if (fault === 'lost') return void request.socket.destroy()
    if (fault === 'malformed') return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"te')
    send(response, 200, answer)
  }

  #takeFault(kind: Kind): HttpFault | undefined {
    const index = this.#faults.findIndex(({ at }) => at === kind)
    return index < 0 ? undefined : this.#faults.splice(index, 1)[0]?.fault
  }

  #transcribe({ fields, file }: TranscriptionAsked): Transcription {
    const asked = { fields, file }
    this.transcriptions.push(asked)
    const usage = { type: 'tokens', input_tokens: 120, output_tokens: 8, total_tokens: 128 } as const
    return { text: this.hears(asked), languages: [], usage }
  }

  #respond(asked: ResponseCreateParamsNonStreaming, fault: HttpFault | undefined): ResponseOnTheWire {
    this.responses.push(asked)
    const count = this.responses.length
    const words = fault === 'incomplete' ? this.says(asked).slice(0, 5) : this.says(asked)
    const content: ResponseOutputMessage['content'][number] =
      fault === 'refusal'
        ? { type: 'refusal', refusal: "I'm sorry, I cannot help with that." }
        : { type: 'output_text', text: words, annotations: [], logprobs: [] }
    const status = fault === 'failed' || fault === 'incomplete' ? fault : 'completed'
    return {
      id: `resp_${count}`,
      object: 'response',
      created_at: 1_767_600_000,
      access_programs: null,
      model: asked.model ?? '',
      status,
      error: fault === 'failed' ? { code: 'server_error', message: 'It has failed.' } : null,
      incomplete_details: fault === 'incomplete' ? { reason: 'max_output_tokens' } : null,
      instructions: typeof asked.instructions === 'string' ? asked.instructions : null,
      metadata: null,
      output:
        fault === 'failed'
          ? []
          : [{ id: `msg_${count}`, type: 'message', role: 'assistant', status: 'completed', content: [content] }],
      parallel_tool_calls: true,
      temperature: 1,
      tool_choice: 'auto',
      tools: [],
      top_p: 1,
      usage: {
        ...{ input_tokens: 300, output_tokens: 60, total_tokens: 360 },
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens_details: { reasoning_tokens: 0 },
      },
    }
  }
}

function kindOf({ method, url }: IncomingMessage): Kind | undefined {
  if (method !== 'POST') return undefined
  if (url === '/v1/audio/transcriptions') return 'transcription'
  return url === '/v1/responses' ? 'response' : undefined
}

/** By Node's own reader of forms. */
async function readTranscription(request: IncomingMessage, body: Buffer) {
  const nothing = { fields: {}, file: { name: '', type: '', bytes: Buffer.alloc(0) } }
  const type = request.headers['content-type'] ?? ''
  if (!type.startsWith('multipart/form-data')) return { ...nothing, problems: [`a transcription asked with ${type}`] }
  const answer = new globalThis.Response(new Uint8Array(body), { headers: { 'content-type': type } })
  const form = await answer.formData().catch(() => undefined)
  if (!form) return { ...nothing, problems: ['a form that cannot be read'] }
  const entries = [...form.entries()]
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const sound = entries.find(([name]) => name === 'file')?.[1]
  const strange = texts.map(([name]) => name).filter(name => !transcriptionFields.has(name))
  const fields = Object.fromEntries(texts)
  const problems = strange.map(name => `a field that is not known: ${name}`)
  if (!fields['model']) problems.push('no model')
  if (!['json', undefined].includes(fields['response_format'])) problems.push('response_format is not json')
  if (typeof sound !== 'object') return { fields, file: nothing.file, problems: [...problems, 'no file'] }
  const bytes = Buffer.from(await sound.arrayBuffer())
  const ending = sound.name.split('.').at(-1) ?? ''
  if (!fileTypes.includes(ending)) problems.push(`a file of the type ${ending}`)
  if (bytes.length === 0 || bytes.length > SOUND_BYTES) problems.push(`a file of ${bytes.length} bytes`)
  return { fields, file: { name: sound.name, type: sound.type, bytes }, problems }
}

function readResponse(request: IncomingMessage, body: Buffer) {
  const asked = parsed(body)
  if (!asked || !request.headers['content-type']?.startsWith('application/json'))
    return { asked: {} as ResponseCreateParamsNonStreaming, problems: ['a response asked with what is no JSON'] }
  const problems = Object.keys(asked)
    .filter(name => !responseFields.has(name))
    .map(name => `a field that is not known: ${name}`)
  if (typeof asked.model !== 'string' || asked.model === '') problems.push('no model')
  if (asked.input === undefined) problems.push('no input')
  // What callers said is not to be kept there.
  if (asked.store !== false) problems.push('store is not false')
  const format = asked.text?.format
  if (format?.type === 'json_schema') problems.push(...problemsOfSchema(format.schema, format.strict === true))
  return { asked, problems }
}

interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, unknown>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  readonly items?: unknown
}

/** https://platform.openai.com/docs/guides/structured-outputs: every property is required, and no other allowed. */
function problemsOfSchema(schema: unknown, strict: boolean): string[] {
  const { type, properties = {}, required = [], additionalProperties, items } = Object(schema) as Schema
  if (!strict) return ['a schema that is not strict']
  if (type === 'array') return problemsOfSchema(items, strict)
  if (type !== 'object') return []
  const names = Object.keys(properties)
  const all = names.every(name => required.includes(name)) && additionalProperties === false
  return [
    ...(all ? [] : ['a schema with properties that are not required, or others than its own']),
    ...names.flatMap(name => problemsOfSchema(properties[name], strict)),
  ]
}

function parsed(body: Buffer): ResponseCreateParamsNonStreaming | undefined {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === 'object' && value !== null ? (value as ResponseCreateParamsNonStreaming) : undefined
  } catch {
    return undefined
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
