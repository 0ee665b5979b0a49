import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Recordings and voicemails as files that come and go, what is made of them, and what integrators are told. */
export const kept: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}

const statements = [
  // Nothing was ever written into the former one.
  'drop table recordings',
  `create table recordings (
    id text collate "C" primary key,
    call text not null,
    business text not null,
    at timestamptz not null,
    announced_at timestamptz,
    seconds integer,
    ended_why text,
    shed_frames integer not null default 0,
    -- Until it is converted it stands as it was written during the call.
    converted_at timestamptz,
    bytes bigint,
    deleted_at timestamptz,
    deleted_by text
  )`,
  'create index recordings_by_call on recordings (call)',
  'create index recordings_by_time on recordings (business, at desc, id desc) where deleted_at is null',
  'create index recordings_of_all_by_time on recordings (at desc, id desc) where deleted_at is null',
  `alter table voicemails
    add column by text,
    add column ended text,
    add column archived_at timestamptz,
    add column deleted_at timestamptz,
    add column deleted_by text`,
  'create index voicemails_by_recording on voicemails (recording)',
  `create table transcripts (
    recording text collate "C" primary key,
    call text not null,
    business text not null,
    at timestamptz not null,
    by text not null,
    text text not null
  )`,
  'create index transcripts_by_call on transcripts (call)',
  `create table summaries (
    call text collate "C" primary key,
    business text not null,
    at timestamptz not null,
    by text not null,
    urgency text not null,
    who text not null,
    why text not null,
    outcome text not null,
    follow_up text not null
  )`,
  'create index summaries_by_time on summaries (business, at desc)',
  // What an integrator is told is made once, from the event, and sent as it stands here however often it is tried.
  `create table deliveries (
    id text collate "C" primary key,
    business text not null,
    call text not null,
    hook text not null,
    event text not null,
    at timestamptz not null,
    body text not null,
    attempts integer not null default 0,
    last_at timestamptz,
    last_status integer,
    last_why text,
    delivered_at timestamptz
  )`,
  'create index deliveries_by_call on deliveries (call)',
  'create index deliveries_by_time on deliveries (business, at desc, id desc)',
  'create index deliveries_refused on deliveries (business, hook) where last_status = 410',
  'create index deliveries_of_all_by_time on deliveries (at desc, id desc)',
]
