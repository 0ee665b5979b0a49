import type { ColumnType, GeneratedAlways, JSONColumnType } from 'kysely'
import type { AnsweredBy, CarrierStatus, NoticeKind, TextChannel, TextStatus } from '../call/carrier-events.ts'
import type {
  TransferMode,
  TransferOutcome,
  TransferTrigger,
  UsageCounter,
  VoicemailEnd,
  VoicemailWay,
} from '../call/events.ts'
import type { DigestSource, RecordingEnd, Urgency } from '../call/kept-events.ts'

/** What the database holds, as the migrations make it. Every row belongs to a business. */
export interface Tables {
  businesses: BusinessRow
  numbers: NumberRow
  destinations: DestinationRow
  calls: CallRow
  call_names: CallNameRow
  callers: CallerRow
  call_events: CallEventRow
  turns: TurnRow
  tool_calls: ToolCallRow
  transfers: TransferRow
  messages: MessageRow
  voicemails: VoicemailRow
  recordings: RecordingRow
  transcripts: TranscriptRow
  summaries: SummaryRow
  deliveries: DeliveryRow
  awaited_recordings: AwaitedRecordingRow
  texts: TextRow
  text_consents: TextConsentRow
  notices: NoticeRow
  open_accounts: OpenAccountRow
  outbound_calls: OutboundCallRow
  do_not_call: DoNotCallRow
  usage: UsageRow
  call_usage: CallUsageRow
  journals: JournalRow
  forgettings: ForgettingRow
  tokens: TokenRow
}

type Time = ColumnType<Date, Date, Date>
type Json = JSONColumnType<Record<string, unknown>, string, string>

interface BusinessRow {
  id: string
  /** What the business chose, as it was written. */
  settings: Json
  active: boolean
  created_at: Time
  changed_at: Time
  /** Counts its changes: a change made to something older than what stands here is refused. */
  version: number
  /** Of the file that it was last read from. */
  file_hash: string | null
}

interface NumberRow {
  number: string
  business: string
}

interface DestinationRow {
  business: string
  key: string
  name: string
  address: string
}

export interface CallRow {
  id: string
  business: string
  state: 'live' | 'ended'
  engine: string | null
  codec: string | null
  caller_number: string | null
  called_user: string | null
  parameters: Json | null
  offered_at: Time
  answered_at: Time | null
  ended_at: Time | null
  /** How it ended, such as callerHungUp. */
  outcome: string | null
  duration_ms: number | null
  set_up_ms: number | null
  figures: Json | null
  /** The destination that the caller was last connected with. */
  transferred_to: string | null
  /** As the carrier tells it. */
  direction: ColumnType<'inbound' | 'outbound', 'inbound' | 'outbound' | undefined, 'inbound' | 'outbound'>
  carrier_status: CarrierStatus | null
  carrier_seconds: number | null
  carrier_error: number | null
  answered_by: AnsweredBy | null
  /** Of what the carrier charges, as text: exact. */
  price: string | null
  price_unit: string | null
  /** What was said in it, to be found by, once it has ended. */
  words: ColumnType<string | null, never, null>
  forgotten_at: Time | null
}

/** Another name of a call: of one of its channels, or the carrier's. */
interface CallNameRow {
  name: string
  call: string
}

/** Whoever has called a business under a number of their own. */
interface CallerRow {
  business: string
  number: string
  /** As they or the records told last. */
  name: string | null
  first_at: Time
  last_at: Time
  calls: number
}

export interface CallEventRow {
  id: GeneratedAlways<string>
  call: string
  business: string
  at: Time
  name: string
  details: Json
  private: Json | null
}

interface TurnRow {
  id: GeneratedAlways<string>
  call: string
  business: string
  at: Time
  who: 'caller' | 'agent'
  /** What was said, and heard of it. */
  text: string
  /** Of the agent: how long it was heard, and whether to its end. */
  heard_ms: number | null
  complete: boolean | null
  /** Of the agent's first words after the caller: where the time went. */
  latency: Json | null
  /** Of the same: from the caller's last sound to the agent's first. */
  answer_ms: number | null
}

interface ToolCallRow {
  id: GeneratedAlways<string>
  call: string
  business: string
  at: Time
  tool: string
  ok: boolean
  took_ms: number
}

interface TransferRow {
  /** Of the event with which it began. */
  id: string
  call: string
  business: string
  attempt: number
  destination: string
  mode: TransferMode
  by: TransferTrigger
  began_at: Time
  rang_at: Time | null
  answered_at: Time | null
  /** When it was settled: with `connected` they talked from then on. */
  ended_at: Time | null
  /** Open while it is under way, and when its gateway died. */
  outcome: TransferOutcome | null
}

export interface MessageRow {
  id: GeneratedAlways<string>
  call: string
  business: string
  at: Time
  kind: 'message' | 'appointment'
  callback: string
  text: string
  details: Json
  read_at: Time | null
}

export interface VoicemailRow {
  id: GeneratedAlways<string>
  call: string
  business: string
  at: Time
  seconds: number
  recording: string
  caller_number: string | null
  read_at: Time | null
  by: VoicemailWay | null
  ended: VoicemailEnd | null
  archived_at: Time | null
  deleted_at: Time | null
  deleted_by: string | null
  /** The journal of the gateway whose disk has it. */
  home: string | null
}

interface RecordingRow {
  /** Of its file, and of what is told of it. */
  id: string
  call: string
  business: string
  at: Time
  announced_at: Time | null
  /** While it goes on nothing. */
  seconds: number | null
  ended_why: RecordingEnd | null
  shed_frames: ColumnType<number, number | undefined, number>
  converted_at: Time | null
  bytes: string | null
  deleted_at: Time | null
  deleted_by: string | null
  /** As of a voicemail. */
  home: string | null
}

interface TranscriptRow {
  /** Or the voicemail. */
  recording: string
  call: string
  business: string
  at: Time
  by: DigestSource
  text: string
}

interface SummaryRow {
  call: string
  business: string
  at: Time
  by: DigestSource
  urgency: Urgency
  who: string
  why: string
  outcome: string
  follow_up: string
}

export interface DeliveryRow {
  /** Of the event and the hook: the same news is the same delivery. */
  id: string
  business: string
  call: string
  /** By name, as the business has it. */
  hook: string
  event: string
  at: Time
  body: string
  attempts: ColumnType<number, number | undefined, number>
  last_at: Time | null
  last_status: number | null
  last_why: string | null
  delivered_at: Time | null
}

/** With the carrier, to be fetched. */
export interface AwaitedRecordingRow {
  recording: string
  call: string
  business: string
  at: Time
  seconds: number
  url: string
  caller_number: string | null
  attempts: ColumnType<number, number | undefined, number>
  next_at: Time | null
  settled_at: Time | null
}

export interface TextRow {
  id: string
  business: string
  channel: TextChannel
  customer: string
  ours: string
  direction: 'in' | 'out'
  text: string
  template: string | null
  media: ColumnType<number, number | undefined, number>
  at: Time
  carrier: string | null
  status: TextStatus | 'received'
  status_at: Time
  error_code: number | null
}

interface TextConsentRow {
  business: string
  channel: TextChannel
  customer: string
  stopped: boolean
  at: Time
}

export interface NoticeRow {
  call: string
  kind: NoticeKind
  by: 'text' | 'mail' | 'webhook'
  about: string
  business: string
  at: Time
  ok: boolean
  why: string | null
}

export interface OpenAccountRow {
  call: string
  business: string
  attempts: ColumnType<number, number | undefined, number>
  next_at: Time
}

export interface OutboundCallRow {
  id: string
  business: string
  key: string
  request_hash: string
  number: string
  context: Json
  state: 'waiting' | 'calling' | 'ended'
  attempts: ColumnType<number, number | undefined, number>
  next_at: ColumnType<Date | null, Date | null | undefined, Date | null>
  asked_at: Time
  begun_at: ColumnType<Date | null, Date | null | undefined, Date | null>
  ended_at: ColumnType<Date | null, Date | null | undefined, Date | null>
  outcome: ColumnType<string | null, string | null | undefined, string | null>
}

export interface DoNotCallRow {
  business: string
  number: string
  at: Time
  why: string
}

type Snake<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? '' : '_'}${Lowercase<First>}${Snake<Rest>}`
  : ''

/** Sums, as text: they may be greater than a number holds. */
type Used = { [Counter in Snake<UsageCounter>]: string } & {
  call_ms: string
  /** As carriers count: each answered call's rounded up. */
  telephone_minutes: string
}

/** Of a day in UTC. */
export interface UsageRow extends Used {
  business: string
  day: string
  calls: number
  answered: number
}

export interface CallUsageRow extends Used {
  call: string
  business: string
}

interface JournalRow {
  /** Of the gateway whose journal it is. */
  id: string
  segment: string
  offset_bytes: string
}

export interface ForgettingRow {
  id: string
  business: string
  /** None: they are forgotten. */
  number: string | null
  asked_at: Time
  calls: ColumnType<number, number | undefined, number>
  files: ColumnType<number, number | undefined, number>
  done_at: Time | null
}

export interface TokenRow {
  id: string
  /** None: the operator's. */
  business: string | null
  name: string
  hash: Buffer
  created_at: Time
  last_used_at: Time | null
  revoked_at: Time | null
}
