import { type Clock, pause, within } from '../../clock.ts'
import { asError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { type CallDetail, callDetail, callList } from '../../server/schemas.ts'
import { type Api, ApiRefused, ApiUnreachable } from '../api.ts'

const tellingNames = [
  'answered',
  'takenOver',
  'callerSpoke',
  'agentSpoke',
  'turnAnswered',
  'toolRan',
  'degraded',
  'handedBack',
] as const

/** What the gateway's record tells of one call, as far as a caller can make something of it. */
export interface RecordedFact {
  readonly name: (typeof tellingNames)[number]
  /** By the gateway's clock, in milliseconds since 1970. */
  readonly atMs: number
  /** What was said. */
  readonly text?: string
  /** How much of it was heard. */
  readonly ms?: number
  readonly tool?: string
  /** Why a caller was handed back, or what has failed. */
  readonly why?: string
}

/**
 * `told`: the record is there. `lost`: it was. `absent`: it would be there if our own gateway had the call. `unchecked`: nobody
 * can be asked.
 */
export type Knowledge = 'told' | 'lost' | 'absent' | 'unchecked'

/** All that is known of a call by its record. */
export interface Told {
  readonly knowledge: Knowledge
  /** Why the record tells nothing, or no more. */
  readonly missing: string | undefined
  readonly facts: readonly RecordedFact[]
}

/** The gateway closes its record a moment after the call. */
const CLOSED_WITHIN_MS = 1_000
const LOOK_MS = 100
/** In the middle of a call nobody waits longer for the record: what happens is told all the same. */
const LOOK_WITHIN_MS = 2_000

/** Of the caller's audio, as it arrived at the gateway. */
export interface ArrivedFigures {
  readonly packets: number
  readonly lost: number
  readonly jitterMs: number
}

interface RecordOptions {
  readonly clock: Clock
  readonly opening: Promise<Pick<Api, 'get' | 'address'>>
  /** The parameter by which the call is found. */
  readonly callSid: string
  /** It is our own gateway that is called: if it is not there, it is not its agent that speaks. */
  readonly own: boolean
}

/** One call in the record of a gateway that may be another's, gone, or back again: each look asks anew. */
export class GatewayRecord {
  readonly #with: RecordOptions
  readonly #facts: RecordedFact[] = []
  #latest: CallDetail | undefined
  #told = 0
  #takenOverAt: string | undefined
  #failure: Error | undefined

  constructor(options: RecordOptions) {
    this.#with = options
    // Looked at when it is first needed.
    options.opening.catch(() => {})
  }

  get told(): Told {
    return { knowledge: this.#knowledge, missing: this.#failure?.message, facts: this.#facts }
  }

  /** Undefined unless the record was there at the last look. */
  get arrived(): ArrivedFigures | undefined {
    return this.#failure ? undefined : this.#latest?.rtp?.received
  }

  get #knowledge(): Knowledge {
    if (!this.#failure) return this.#latest ? 'told' : 'unchecked'
    if (this.#latest) return 'lost'
    const nobody = this.#failure instanceof ApiUnreachable || this.#failure instanceof ApiRefused
    return nobody && this.#with.own ? 'absent' : 'unchecked'
  }

  /** What has happened since this was last asked, in its order. */
  async news(): Promise<readonly RecordedFact[]> {
    const late = () => new ApiUnreachable(`The gateway does not answer within ${LOOK_WITHIN_MS / 1_000} s.`)
    return await this.#newsIn(within(this.#with.clock, LOOK_WITHIN_MS, this.#detail(), late))
  }

  /** All that is left, once the record is closed. */
  async lastNews(): Promise<readonly RecordedFact[]> {
    const { clock } = this.#with
    const deadlineMs = clock.now() + CLOSED_WITHIN_MS
    const news: RecordedFact[] = []
    for (;;) {
      news.push(...(await this.#newsIn(this.#detail())))
      if (this.#failure || this.#latest?.state === 'ended' || clock.now() >= deadlineMs) return news
      await pause(clock, LOOK_MS)
    }
  }

  async #newsIn(looking: Promise<CallDetail>): Promise<readonly RecordedFact[]> {
    try {
      const detail = await looking
      // A gateway that was started again goes on with the record as far as it was on the disk.
      const again = detail.events.findLastIndex(({ name }) => name === 'takenOver')
      const takenOverAt = detail.events[again]?.at
      if (this.#latest && takenOverAt !== this.#takenOverAt) this.#told = again
      this.#takenOverAt = takenOverAt
      this.#latest = detail
      this.#failure = undefined
      const news = detail.events.slice(this.#told).flatMap(factOf)
      this.#told = detail.events.length
      this.#facts.push(...news)
      return news
    } catch (error) {
      this.#failure = asError(error)
      return []
    }
  }

  async #detail(): Promise<CallDetail> {
    const api = await this.#with.opening
    const id = this.#latest?.id ?? (await this.#find(api))
    return await api.get(`/v1/calls/${encodeURIComponent(id)}?private=true`, callDetail)
  }

  /** The newest, where several carry the same. */
  async #find(api: Pick<Api, 'get' | 'address'>): Promise<string> {
    // The calls of this program, and as many of others that came meanwhile.
    const most = 2 * limits.caller.callsAtOnce
    const { calls } = await api.get(`/v1/calls?private=true&limit=${most}`, callList)
    const ours = calls.filter(call => call.private?.parameters['callSid'] === this.#with.callSid)
    const [newest] = ours.sort((a, b) => b.offeredAt.localeCompare(a.offeredAt))
    if (!newest) throw new ApiRefused(`The gateway at ${api.address} does not know this call.`)
    return newest.id
  }
}

function factOf({ at, name, details, private: hidden }: CallDetail['events'][number]): RecordedFact[] {
  const known = tellingNames.find(each => each === name)
  if (!known) return []
  const { ms, tool, reason, detail } = details
  const why = reason ?? detail
  return [
    {
      name: known,
      atMs: Date.parse(at),
      ...(typeof hidden?.['text'] === 'string' && { text: hidden['text'] }),
      ...(typeof ms === 'number' && { ms }),
      ...(typeof tool === 'string' && { tool }),
      ...(typeof why === 'string' && { why }),
    },
  ]
}
