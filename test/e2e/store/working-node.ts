import { sql } from 'kysely'
import { type Business, readBusiness } from '../../../src/business.ts'
import type { CallFact } from '../../../src/call/events.ts'
import { systemClock } from '../../../src/clock.ts'
import { answer } from '../../../src/desk/jobs/answer.ts'
import { notify } from '../../../src/desk/jobs/notify.ts'
import { summarize } from '../../../src/desk/jobs/summarize.ts'
import { transcribe } from '../../../src/desk/jobs/transcribe.ts'
import type { Notice, NoticeWay } from '../../../src/desk/notifier.ts'
import { jobsWantedBy } from '../../../src/desk/wanted.ts'
import { type Handler, type Handlers, Working, type WorkingParts } from '../../../src/desk/working.ts'
import { hookSender } from '../../../src/notifiers/hook.ts'
import { mailNotifier } from '../../../src/notifiers/mail.ts'
import { webhookNotifier } from '../../../src/notifiers/webhook.ts'
import { deletingIn, keptHandlers } from '../../../src/own-kept.ts'
import { openaiSummarizer } from '../../../src/providers/openai/summarize.ts'
import { openaiTranscriber } from '../../../src/providers/openai/transcribe.ts'
import { plainSound } from '../../../src/recording/sound.ts'
import { soundFolders } from '../../../src/recording/sound-files.ts'
import { findSummary, findTranscript, transcriptsOf } from '../../../src/store/digests.ts'
import type { ClaimedJob } from '../../../src/store/jobs.ts'
import { claimNotice, releaseNotice, storyOf } from '../../../src/store/notices.ts'
import { reachOf } from '../../../src/tools/reach.ts'
import { textNotifier } from '../../../src/twilio/notifier.ts'
import { twilioRest } from '../../../src/twilio/rest.ts'
import { Sending } from '../../../src/twilio/sending.ts'
import { OpenAiHttpServer } from '../../support/openai-http.ts'
import { account, deskNode, laterClock, type Place } from './desk-node.ts'

/** Whoever is asked for something. */
export interface Outside {
  readonly openai: string
  readonly owner: string
  readonly twilio: string
  readonly mail: string
  readonly hook: string
}

export const hookSecret = 'a secret of this integrator'

/** Where a life ends: when a job is claimed, when its effect is there and nobody knows, when that is on the disk as well. */
export const points = ['claimed', 'made', 'kept'] as const
export type Point = (typeof points)[number]

/** A kind of job, and a notice by each of its ways. */
export const works = [
  ...(['answer', 'clean', 'convert', 'deliver'] as const),
  ...(['notify by mail', 'notify by text', 'notify by webhook', 'summarize', 'transcribe'] as const),
]
type WorkName = (typeof works)[number]

/** Tells that it is there, and never goes on. */
export type Stop = (work: WorkName) => Promise<never>

function workOf({ kind, subject }: Pick<ClaimedJob, 'kind' | 'subject'>): WorkName {
  return (kind === 'notify' ? `notify by ${subject['by']}` : kind) as WorkName
}

function madeBy(fact: CallFact): WorkName | undefined {
  return fact.name === 'noticeSent' ? `notify by ${fact.by}` : made[fact.name]
}

const made: Readonly<Partial<Record<CallFact['name'], WorkName>>> = {
  transcribed: 'transcribe',
  summarized: 'summarize',
  callerAnswered: 'answer',
  recordingConverted: 'convert',
  recordingDeleted: 'clean',
}

/** Of a gateway all that works when calls are over, wired as there; it may stand still at one point of each job. */
export async function workingNode(place: Place, outside: Outside, at?: { readonly point: Point; readonly stop: Stop }) {
  const plain = readBusiness({
    ...{ file: undefined, name: 'Dentist', phone: '+15550100200', ownerPhone: undefined, engine: 'scripted' },
  })
  const crm = { name: 'crm', url: outside.hook, events: ['voicemail.left' as const], secret: 'TOOL_CRM' }
  const business: Business = {
    ...{ ...plain, id: 'dentist' },
    notify: { webhook: `${outside.owner}/told`, email: 'owner@example.com', phone: '+15550100300' },
    answers: { ...plain.answers, enabled: true, by: ['sms'] },
    hooks: [{ ...crm, private: false, enabled: true }],
  }
  /** Keeps nothing for long. */
  const shop: Business = { ...plain, id: 'shop', recording: { ...plain.recording, days: 1 } }
  const find = (id: string) => (id === 'shop' ? shop : business)
  const openedAt = new Date(systemClock.wallMs())
  const node = await deskNode(place, outside.twilio, laterClock(), {
    // Of what it says they are told as they are of the voicemail.
    wantedBy: (event, known) =>
      jobsWantedBy(event, find(event.business), known).filter(({ subject }) => subject['notice'] !== 'voicemailWords'),
    wanted: woken => working.wake(woken),
  })
  const { store } = node
  // As a server finds out when a life has taken too long; what is embedded knows it at once.
  if (place.url !== undefined)
    await store.ask(db =>
      sql`update jobs.job set state = 'retry', start_after = now()
        where state = 'active' and started_on < ${openedAt}::timestamptz`.execute(db),
    )
  const stopped = new Set<WorkName>()
  const tell: typeof node.tell = event => {
    const work = madeBy(event.fact)
    // Nothing of this life comes to the disk any more.
    if (at?.point === 'made' && work && !stopped.has(work)) {
      stopped.add(work)
      void at.stop(work)
    } else if (!(work && stopped.has(work))) node.tell(event)
  }
  const shared = {
    ...{ ...node.shared, tell, find },
    record: async (call: string) => {
      await store.caughtUp()
      return store.ask(db => storyOf(db, 'all', call))
    },
    kept: () => (at?.point === 'made' ? new Promise<void>(() => {}) : node.shared.kept()),
  }
  const sending = new Sending({
    ...{ ...node.shared, rest: twilioRest({ account: account(outside.twilio), clock: systemClock }) },
    ...{ publicBaseUrl: 'https://parley.example', numbers: { sms: '+15550100200', whatsapp: undefined } },
    businesses: () => ({ find }),
  })
  const openai = { baseUrl: outside.openai, apiKey: OpenAiHttpServer.key, model: 'a-model' }
  const summarizer = openaiSummarizer(openai)
  const id = ({ call, kind, about }: Notice, by: NoticeWay) => ({
    ...{ call, kind, by, about, business: 'dentist' },
  })
  const resolve = () => Promise.reject(new Error('no names here'))
  const reach = reachOf(['127.0.0.0/8'])
  const sendHook = hookSender({ clock: systemClock, resolve, reach, secrets: { TOOL_CRM: hookSecret } })
  const aside = {
    log: node.shared.log,
    async sendHook(...what: Parameters<typeof sendHook>) {
      const answer = await sendHook(...what)
      return at?.point === 'made' ? at.stop('deliver') : answer
    },
  }
  const state = { path: place.state } as Parameters<typeof deletingIn>[0]['state']
  const journal: typeof node.journal = Object.create(node.journal, {
    flushed: { value: shared.kept },
    id: { value: node.journal.id },
  })
  const handlers: Handlers = {
    ...keptHandlers(aside, {
      ...{ store, state, journal, observe: tell, exchange: { live: [], dropEnded: () => {} } },
      telephony: { talking: () => undefined },
      deleteSound: deletingIn({ state, journal, store, observe: tell }),
      directory: { find, all: [shop] },
    }),
    notify: notify({
      ...shared,
      notifiers: [
        webhookNotifier({ clock: systemClock, reach, resolve }),
        mailNotifier({ url: outside.mail, from: 'parley@example.com' }),
        textNotifier(sending),
      ],
      missing: {},
      served: async () => false,
      claim: (notice, by) =>
        store.ask(db => claimNotice(db, 'all', { ...id(notice, by), at: new Date(systemClock.wallMs()) })),
      release: (notice, by) => store.ask(db => releaseNotice(db, 'all', id(notice, by))),
    }),
    transcribe: transcribe({
      ...shared,
      transcriber: openaiTranscriber(openai),
      sound: recording => plainSound(soundFolders(place.state), recording),
      isElsewhere: async () => false,
      isDeleted: async () => false,
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
      if (at?.point === 'claimed') await at.stop(workOf(job))
      return handler(job, signal)
    },
  ])
  const jobs: WorkingParts['jobs'] = () => {
    const { jobs: own } = store
    if (!own || at?.point !== 'kept') return own
    return {
      due: own.due.bind(own),
      claim: own.claim.bind(own),
      tend: own.tend.bind(own),
      failed: job => at.stop(workOf(job as ClaimedJob)),
      done: job => at.stop(workOf(job as ClaimedJob)),
    }
  }
  let count = 0
  let enough = { over: Number.POSITIVE_INFINITY, resolve: () => {} }
  const working: Working = new Working({
    ...{ ...node.shared, jobs, handlers: Object.fromEntries(held) },
    ended(_kind, how) {
      if (how !== 'again') count += 1
      if (count >= enough.over) enough.resolve()
    },
  })
  return {
    ...{ ...node, working },
    /** So many of them, as they should or not. */
    whenOver(over: number) {
      return new Promise<void>(resolve => {
        enough = { over, resolve }
        if (count >= over) resolve()
      })
    },
    async close() {
      await working.close()
      await sending.close()
      await node.close()
    },
  }
}
