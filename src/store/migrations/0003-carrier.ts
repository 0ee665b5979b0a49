import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What the carrier tells of calls and messages, and what is asked of it. */
export const carrier: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}

const statements = [
  // Other names under which a call's facts come: of its channels, and the carrier's.
  `create table call_names (
    name text collate "C" primary key,
    call text collate "C" not null
  )`,
  'create index call_names_by_call on call_names (call)',
  `alter table calls
    add column direction text not null default 'inbound',
    add column carrier_status text,
    add column carrier_seconds integer,
    add column carrier_error integer,
    add column answered_by text,
    add column price numeric,
    add column price_unit text`,
  `create table awaited_recordings (
    recording text primary key,
    call text not null,
    business text not null,
    at timestamptz not null,
    seconds integer not null,
    url text not null,
    caller_number text,
    attempts integer not null default 0,
    -- Nobody else fetches it before.
    next_at timestamptz,
    -- Fetched, or given up.
    settled_at timestamptz
  )`,
  'create index awaited_recordings_open on awaited_recordings (at) where settled_at is null',
  `create table texts (
    id text collate "C" primary key,
    business text not null,
    channel text not null,
    customer text not null,
    ours text not null,
    direction text not null,
    text text not null,
    template text,
    media integer not null default 0,
    at timestamptz not null,
    carrier text unique,
    status text not null,
    status_at timestamptz not null,
    error_code integer
  )`,
  'create index texts_by_thread on texts (business, channel, customer, at desc, id desc)',
  'create index texts_by_customer on texts (customer, at desc)',
  'create index texts_by_time on texts (business, at desc, id desc)',
  'create index texts_of_all_by_time on texts (at desc, id desc)',
  `create index texts_open on texts (at) where status = 'wanted'`,
  `create table text_consents (
    business text not null,
    channel text not null,
    customer text not null,
    stopped boolean not null,
    at timestamptz not null,
    primary key (business, channel, customer)
  )`,
  `create table notices (
    call text not null,
    kind text not null,
    by text not null,
    business text not null,
    at timestamptz not null,
    ok boolean not null,
    why text,
    primary key (call, kind, by)
  )`,
  `create table outbound_calls (
    id text collate "C" primary key,
    business text not null,
    key text not null,
    -- Of what was asked with the key: the same key for something else is refused.
    request_hash text not null,
    number text not null,
    context jsonb not null,
    state text not null,
    -- Each is a call of its own: the id, a dash, and its count.
    attempts integer not null default 0,
    -- Of one that waits.
    next_at timestamptz,
    asked_at timestamptz not null,
    -- The attempt that was last begun.
    begun_at timestamptz,
    ended_at timestamptz,
    -- Of the last attempt, or why there was none.
    outcome text,
    unique (business, key)
  )`,
  `create index outbound_calls_due on outbound_calls (next_at) where state = 'waiting'`,
  `create index outbound_calls_under_way on outbound_calls (begun_at) where state = 'calling'`,
  'create index outbound_calls_by_time on outbound_calls (business, asked_at desc, id desc)',
  'create index outbound_calls_of_all_by_time on outbound_calls (asked_at desc, id desc)',
  `create table do_not_call (
    business text not null,
    number text not null,
    at timestamptz not null,
    why text not null,
    primary key (business, number)
  )`,
]
