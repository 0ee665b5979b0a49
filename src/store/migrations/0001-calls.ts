import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Businesses, their calls, and what came of them. */
export const calls: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}

const used = [
  'call_ms',
  'telephone_minutes',
  'input_tokens',
  'input_text_tokens',
  'input_audio_tokens',
  'cached_tokens',
  'cached_audio_tokens',
  'output_tokens',
  'output_text_tokens',
  'output_audio_tokens',
  'transcription_input_tokens',
  'transcription_output_tokens',
  'transcription_ms',
]
  .map(column => `${column} bigint not null default 0`)
  .join(', ')

const statements = [
  `create table businesses (
    id text primary key,
    -- Not jsonb, which would put what was written into another order.
    settings json not null,
    active boolean not null default true,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    version integer not null,
    file_hash text
  )`,
  `create table numbers (
    number text primary key,
    business text not null references businesses
  )`,
  `create table destinations (
    business text not null references businesses,
    key text not null,
    name text not null,
    address text not null,
    primary key (business, key)
  )`,
  // No reference to businesses from here on: what happened is kept also when the business that it happened to is unknown here.
  // Ids are compared as bytes, here as in the program.
  `create table calls (
    id text collate "C" primary key,
    business text not null,
    state text not null,
    engine text,
    codec text,
    caller_number text,
    called_user text,
    parameters jsonb,
    offered_at timestamptz not null,
    answered_at timestamptz,
    ended_at timestamptz,
    outcome text,
    duration_ms integer,
    set_up_ms integer,
    figures jsonb,
    words tsvector
  )`,
  // A page is read in the order of these, whatever it is asked by.
  'create index calls_by_time on calls (business, offered_at desc, id desc)',
  'create index calls_of_all_by_time on calls (offered_at desc, id desc)',
  'create index calls_by_number on calls (business, caller_number, offered_at desc, id desc)',
  'create index calls_of_all_by_number on calls (caller_number, offered_at desc, id desc)',
  'create index calls_by_outcome on calls (business, outcome, offered_at desc, id desc)',
  'create index calls_of_all_by_outcome on calls (outcome, offered_at desc, id desc)',
  `create index calls_live on calls (offered_at desc, id desc) where state = 'live'`,
  'create index calls_by_words on calls using gin (words)',
  `create table callers (
    business text not null,
    number text not null,
    name text,
    first_at timestamptz not null,
    last_at timestamptz not null,
    calls integer not null,
    primary key (business, number)
  )`,
  `create table call_events (
    id bigint generated always as identity primary key,
    call text not null,
    business text not null,
    at timestamptz not null,
    name text not null,
    details jsonb not null,
    private jsonb
  )`,
  'create index call_events_by_call on call_events (call, id)',
  `create table turns (
    id bigint generated always as identity primary key,
    call text not null,
    business text not null,
    at timestamptz not null,
    who text not null,
    text text not null,
    heard_ms integer,
    complete boolean,
    latency jsonb,
    answer_ms integer
  )`,
  'create index turns_by_call on turns (call, id)',
  'create index turns_answered on turns (business, at) include (answer_ms) where answer_ms is not null',
  `create table tool_calls (
    id bigint generated always as identity primary key,
    call text not null,
    business text not null,
    at timestamptz not null,
    tool text not null,
    ok boolean not null,
    took_ms integer not null
  )`,
  'create index tool_calls_by_call on tool_calls (call, id)',
  `create table messages (
    id bigint generated always as identity primary key,
    call text not null,
    business text not null,
    at timestamptz not null,
    kind text not null,
    callback text not null,
    text text not null,
    details jsonb not null,
    read_at timestamptz
  )`,
  'create index messages_by_call on messages (call)',
  'create index messages_by_time on messages (business, at desc, id desc)',
  'create index messages_of_all_by_time on messages (at desc, id desc)',
  'create index messages_unread on messages (business, at desc, id desc) where read_at is null',
  `create table voicemails (
    id bigint generated always as identity primary key,
    call text not null,
    business text not null,
    at timestamptz not null,
    seconds integer not null,
    recording text not null,
    caller_number text,
    read_at timestamptz
  )`,
  'create index voicemails_by_call on voicemails (call)',
  'create index voicemails_by_time on voicemails (business, at desc, id desc)',
  `create table recordings (
    id bigint generated always as identity primary key,
    call text not null,
    business text not null,
    at timestamptz not null,
    seconds integer not null,
    file text not null
  )`,
  'create index recordings_by_call on recordings (call)',
  `create table usage (
    business text not null,
    day date not null,
    calls integer not null default 0,
    answered integer not null default 0,
    ${used},
    primary key (business, day)
  )`,
  `create table call_usage (
    call text primary key,
    business text not null,
    ${used}
  )`,
  `create table journals (
    id text primary key,
    segment bigint not null,
    offset_bytes bigint not null
  )`,
  `create table tokens (
    id text primary key,
    business text references businesses,
    name text not null,
    hash bytea not null unique,
    created_at timestamptz not null,
    last_used_at timestamptz,
    revoked_at timestamptz
  )`,
]
