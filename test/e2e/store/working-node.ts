import { readBusiness } from '../../../src/business.ts'
import type { CallFact } from '../../../src/call/events.ts'
import { systemClock } from '../../../src/clock.ts'
import { answer } from '../../../src/desk/jobs/answer.ts'
import { notify } from '../../../src/desk/jobs/notify.ts'
import { summarize } from '../../../src/desk/jobs/summarize.ts'
import { transcribe } from '../../../src/desk/jobs/transcribe.ts'
import { jobsWantedBy } from '../../../src/desk/wanted.ts'
import { type Handler, type Handlers, Working, type WorkingParts } from '../../../src/desk/working.ts'
import { webhookNotifier } from '../../../src/notifiers/webhook.ts'
import { openaiSummarizer } from '../../../src/providers/openai/summarize.ts'
import { openaiTranscriber } from '../../../src/providers/openai/transcribe.ts'
import { plainSound } from '../../../src/recording/sound.ts'
import { soundFolders } from '../../../src/recording/sound-files.ts'
import { findSummary, findTranscript, transcriptsOf } from '../../../src/store/digests.ts'
import type { JobKind } from '../../../src/store/jobs.ts'
import { claimNotice, releaseNotice, storyOf } from '../../../src/store/notices.ts'
import { reachOf } from '../../../src/tools/reach.ts'
import { twilioRest } from '../../../src/twilio/rest.ts'
import { Sending } from '../../../src/twilio/sending.ts'
import { OpenAiHttpServer } from '../../support/openai-http.ts'
import { account, deskNode, laterClock, type Place } from './desk-node.ts'

/** Whoever is asked for something. */
export interface Outside {
  readonly openai: string
  readonly owner: string
  readonly twilio: string
}

/** Where a life ends: when a job is claimed, when its effect is there and nobody knows, when that is on the disk as well. */
export const points = ['claimed', 'made', 'kept'] as const
export type Point = (typeof points)[number]

/** Tells that it is there, and never goes on. */
export type Stop = (kind: JobKind) => Promise<never>

const made: Readonly<Partial<Record<CallFact['name'], JobKind>>> = {
  transcribed: 'transcribe',
  summarized: 'summarize',
  callerAnswered: 'answer',
  noticeSent: 'notify',
}

/** Of a gateway all that works when calls are over, wired as there; it may stand still at one point of each job. */
export async function workingNode(place: Place, outside: Outside, at?: { readonly point: Point; readonly stop: Stop }) {
  const plain = readBusiness({
    ...{ file: undefined, name: 'Dentist', phone: '+15550100200', ownerPhone: undefined, engine: 'scripted' },
  })
  const notifyBy = { webhook: `${outside.owner}/told` }
  const answers = { ...plain.answers, enabled: true, by: ['sms' as const] }
  const business = { ...plain, id: 'dentist', notify: notifyBy, answers }
  const kinds = ['transcribe', 'summarize', 'answer', 'notify']
  const node = await deskNode(place, outside.twilio, laterClock(), {
    wantedBy: event => jobsWantedBy(event, business).filter(({ kind }) => kinds.includes(kind)),
    wanted: woken => working.wake(woken),
  })
  const { store } = node
  const stopped = new Set<JobKind>()
  const tell: typeof node.tell = event => {
    const kind = made[event.fact.name]
    // Nothing of this life comes to the disk any more.
    if (at?.point === 'made' && kind && !stopped.has(kind)) {
      stopped.add(kind)
      void at.stop(kind)
    } else if (!(kind && stopped.has(kind))) node.tell(event)
  }
  const shared = {
    ...{ ...node.shared, tell, find: () => business },
    record: async (call: string) => {
      await store.caughtUp()
      return store.ask(db => storyOf(db, 'all', call))
    },
    kept: () => (at?.point === 'made' ? new Promise<void>(() => {}) : node.shared.kept()),
  }
  const sending = new Sending({
    ...{ ...node.shared, rest: twilioRest({ account: account(outside.twilio), clock: systemClock }) },
    ...{ publicBaseUrl: 'https://parley.example', numbers: { sms: '+15550100200', whatsapp: undefined } },
    businesses: () => ({ find: () => business }),
  })
  const openai = { baseUrl: outside.openai, apiKey: OpenAiHttpServer.key, model: 'a-model' }
  const summarizer = openaiSummarizer(openai)
  const id = (call: string, kind: 'voicemail' | 'missedCall' | 'urgent', by: 'text' | 'mail' | 'webhook') => ({
    ...{ call, kind, by, business: 'dentist' },
  })
  const noNames = () => Promise.reject(new Error('no names here'))
  const handlers: Handlers = {
    notify: notify({
      ...shared,
      notifiers: [webhookNotifier({ clock: systemClock, reach: reachOf(['127.0.0.0/8']), resolve: noNames })],
      missing: {},
      served: async () => false,
      claim: ({ call, kind }, by) =>
        store.ask(db => claimNotice(db, 'all', { ...id(call, kind, by), at: new Date(systemClock.wallMs()) })),
      release: ({ call, kind }, by) => store.ask(db => releaseNotice(db, 'all', id(call, kind, by))),
    }),
    transcribe: transcribe({
      ...shared,
      transcriber: openaiTranscriber(openai),
      sound: recording => plainSound(soundFolders(place.state), recording),
      isWritten: recording => store.ask(async db => (await findTranscript(db, 'all', recording)) !== undefined),
    }),
    summarize: summarize({
      ...shared,
      summarizer,
      isTold: call => store.ask(async db => (await findSummary(db, 'all', call)) !== undefined),
      transcripts: call => store.ask(db => transcriptsOf(db, 'all', call)),
    }),
    answer: answer({
      ...{ ...shared, summarizer, texts: sending },
      words: recording => store.ask(async db => (await findTranscript(db, 'all', recording))?.text),
    }),
  }
  const held = Object.entries(handlers).map(([kind, handler]): [string, Handler] => [
    kind,
    async (job, signal) => {
      if (at?.point === 'claimed') await at.stop(job.kind)
      return handler(job, signal)
    },
  ])
  const jobs: WorkingParts['jobs'] = () => {
    const { jobs: own } = store
    if (!own || at?.point !== 'kept') return own
    return {
      claim: own.claim.bind(own),
      failed: own.failed.bind(own),
      tend: own.tend.bind(own),
      done: ({ kind }) => at.stop(kind),
    }
  }
  let count = 0
  let enough = { done: Number.POSITIVE_INFINITY, resolve: () => {} }
  const working: Working = new Working({
    ...{ ...node.shared, jobs, handlers: Object.fromEntries(held) },
    ended(_kind, how) {
      if (how === 'done') count += 1
      if (count >= enough.done) enough.resolve()
    },
  })
  return {
    ...{ ...node, working },
    /** So many of them. */
    whenDone(done: number) {
      return new Promise<void>(resolve => {
        enough = { done, resolve }
        if (count >= done) resolve()
      })
    },
    async close() {
      await working.close()
      await sending.close()
      await node.close()
    },
  }
}
