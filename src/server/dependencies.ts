import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import type { Admission } from '../call/admission.ts'
import type { Call } from '../call/call.ts'
import type { Exchange } from '../call/exchange.ts'
import type { Journal } from '../call/journal.ts'
import type { Telephony } from '../call/ports.ts'
import type { Clock } from '../clock.ts'
import type { CarrierNumbers } from '../desk/carrier-numbers.ts'
import type { DeleteSound } from '../desk/deleting.ts'
import type { Onboarding } from '../desk/onboarding.ts'
import type { TestCalls } from '../desk/test-call.ts'
import type { TextSender } from '../desk/text-sender.ts'
import type { Log } from '../log.ts'
import type { Recorders } from '../recording/recorder.ts'
import type { SoundFolders } from '../recording/sound-files.ts'
import type { Directory } from '../store/directory.ts'
import type { Caller } from '../store/forgetting.ts'
import type { ClaimedJob, JobKind, WantedJob } from '../store/jobs.ts'
import type { Store } from '../store/store.ts'

/** A call as HTTP sees it. */
export type ObservedCall = Pick<
  Call,
  | 'id'
  | 'state'
  | 'view'
  | 'events'
  | 'figures'
  | 'hangUp'
  | 'destinations'
  | 'askTransfer'
  | 'stopRecording'
  | 'capture'
>

interface ObservedExchange extends Pick<Exchange, 'ready' | 'draining'> {
  readonly live: readonly ObservedCall[]
  readonly ended: readonly ObservedCall[]
  find(id: string): ObservedCall | undefined
}

/** What the state of the gateway is read from: by the probes, the API and the metrics. */
export interface Sources {
  readonly exchange: ObservedExchange
  readonly telephony: Pick<Telephony, 'ready' | 'inspect'>
  /** Nothing where the SIP port is not ours to look at. */
  readonly sip?: { readonly answered: boolean } | undefined
  readonly admission: Pick<Admission, 'figures' | 'full'>
  readonly journal: Pick<Journal, 'id' | 'figures' | 'flushed'>
  readonly store: Pick<Store, 'failing' | 'silent' | 'ask'>
  readonly directory: Pick<Directory, 'create' | 'change'> & {
    upToDate(): Pick<Directory, 'all' | 'stored' | 'find'>
  }
  /** Left out where nothing can be recorded. */
  readonly recorders?: Pick<Recorders, 'disk' | 'recording'>
  readonly work: Pick<AfterCalls, 'failed'>
  readonly media: {
    /** False once the media thread has stopped: no call can be carried. */
    readonly alive: boolean
    readonly lineCount: number
  }
}

/** What is done when calls are over. */
export interface AfterCalls {
  /** Jobs that are left to a person, as far as is known. */
  readonly failed: number
  /** Whether anybody does such jobs here. */
  does(kind: JobKind): boolean
  /** False when it is not one that has failed. */
  retry(job: Pick<ClaimedJob, 'kind' | 'id'>): Promise<boolean>
  /** Of all events since then, so many. */
  rebuild(since: Date): Promise<number>
}

export interface ServerDependencies extends Sources {
  readonly clock: Clock
  readonly log: Log
  /** The operator's, which is known without the database. */
  readonly token: string
  readonly version: string
  /** Told at /metrics; the server adds what it knows of the gateway's state and of the process. */
  readonly registry: Registry
  readonly numbers: CarrierNumbers
  readonly onboarding: Onboarding
  /** Makes the calls that were asked for; `unable`, in words: why it cannot. */
  readonly dialler: { readonly unable: string | undefined; wake(): void }
  readonly testCalls: TestCalls
  readonly sounds: SoundFolders
  /** The folder of what was captured. */
  readonly captures: string
  readonly work: AfterCalls
  readonly deleteSound: DeleteSound
  /** At any gateway, as far as the database tells. */
  readonly onTheTelephone: (caller: Caller) => Promise<boolean>
  /** To be done, whoever asks for it not waiting for that. */
  readonly want: (job: WantedJob) => Promise<void>
  /** Routes of others, whose requests carry no token of the API: they see to it themselves who asks. */
  readonly edge?: (app: FastifyInstance) => void
  /** Left out where no text message can be sent. */
  readonly texts?: TextSender | undefined
}
