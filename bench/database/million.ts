import type { Pool } from 'pg'

/** A million calls of 200 businesses in half a year, made by the server itself: the same ones each time. */

export const CALLS = 1_000_000
const SENTENCES = 50_000
/** Of one business that speaks another language. */
const FOREIGN_SENTENCES = 5_000
const VOCABULARY = 50_000
export const FOREIGNER = 'business-3'
export const BUSINESSES = 200
/** Who calls does so a few times; some hide their number. */
export const NUMBERS = 200_000
export const HIDDEN = 'anonymous'

/** The word of a rank: the first is in nearly every call, and each next one as much rarer as in a language. */
export function wordOf(rank: number): string {
  return [...String(rank)].map(digit => 'abcdefghij'[Number(digit)]).join('')
}

/** So that nobody has to wait: indexes are dropped, and made again over what is there. */
export async function fill(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string; definition: string }>(`
    select indexname as name, indexdef as definition from pg_indexes
    where schemaname = 'public' and tablename in ('calls', 'turns')
      and indexname not in (select conname from pg_constraint)`)
  for (const { name } of rows) await pool.query(`drop index ${name}`)
  for (const statement of beginning) await pool.query(statement)
  const make = async (table: string) => {
    // The largest first: it takes longer than all others.
    const definitions = rows
      .map(({ definition }) => definition)
      .filter(each => each.includes(` ${table} `) || each.includes(`.${table} `))
    for (const each of definitions.sort((one, other) => Number(other.includes('gin')) - Number(one.includes('gin')))) {
      await pool.query(each)
    }
    await pool.query(`vacuum analyze ${table}`)
  }
  const turns = async () => {
    await pool.query(turnsOfAll)
    await make('turns')
  }
  await Promise.all([make('calls'), turns()])
}

const sentences = (from: number, count: number, prefix: string) => `
  insert into sentences
  select id, string_agg(word, ' ' order by n), to_tsvector('simple', string_agg(word, ' ' order by n))
  from (
    select id, n, '${prefix}' || translate(floor(${VOCABULARY}^random())::int::text, '0123456789', 'abcdefghij') as word
    from generate_series(${from}, ${from + count - 1}) id, generate_series(1, 12) n
  ) words
  group by id`

const sentence = `case
  when business = '${FOREIGNER}' then ${SENTENCES + 1} + floor(random() * ${FOREIGN_SENTENCES})
  else 1 + floor(random() * ${SENTENCES}) end::int`

const beginning = [
  'select setseed(0.5)',
  'create unlogged table sentences (id integer primary key, text text, words tsvector)',
  sentences(1, SENTENCES, ''),
  sentences(SENTENCES + 1, FOREIGN_SENTENCES, 'q'),
  // By chance as businesses are: the largest has a hundred times the calls of a small one.
  `create unlogged table picked as
    select n, business, at, random() as chance, ${sentence} as a, ${sentence} as b, ${sentence} as c, ${sentence} as d
    from (
      select
        n,
        'business-' || floor(${BUSINESSES}^random())::int as business,
        timestamptz '2026-01-01 00:00Z' + n * interval '15 seconds' + floor(random() * 15000) * interval '1 ms' as at
      from generate_series(1, ${CALLS}) n
    ) calls`,
  `insert into calls (
    id, business, state, engine, codec, caller_number, called_user, parameters,
    offered_at, answered_at, ended_at, outcome, duration_ms, set_up_ms, figures, words
  )
  select
    'call-' || n, business, case when n > ${CALLS - 20} then 'live' else 'ended' end, 'realtime', 'ulaw',
    case when random() < 0.05 then '${HIDDEN}' else '+1555' || lpad(floor(random() * ${NUMBERS})::int::text, 7, '0') end,
    'bianca', '{"callSid": "CA0123456789abcdef0123456789abcdef"}',
    at, at + interval '40 ms', at + interval '90 s',
    case
      -- One bad hour, long ago.
      when n between 100000 and 100240 then 'lost'
      when chance < 0.7 then 'callerHungUp' when chance < 0.85 then 'agentHungUp' when chance < 0.93 then 'handedBack'
      when chance < 0.97 then 'transferred' when chance < 0.98 then 'voicemail' when chance < 0.9999 then 'refused'
      else 'failed'
    end,
    90000, 40,
    '{"sent": {"packets": 4500, "overflows": 0, "lateFrames": 0, "unplayedMs": 0, "worstLateMs": 1, "skippedFrames": 0},
      "received": {"late": 0, "lost": 3, "invalid": 0, "packets": 4497, "driftPpm": -3, "jitterMs": 0.2, "strangers": 0,
      "reordered": 0, "duplicated": 0, "ssrcChanges": 0, "missingFrames": 0, "concealedFrames": 3}, "shedFrames": 0}',
    a.words || b.words || c.words || d.words
  from picked
  join sentences a on a.id = picked.a join sentences b on b.id = picked.b
  join sentences c on c.id = picked.c join sentences d on d.id = picked.d
  order by n`,
]

const turnsOfAll = `
  insert into turns (call, business, at, who, text, heard_ms, complete, latency, answer_ms)
  select
    'call-' || n, business, at + turn * interval '10 s', case turn % 2 when 0 then 'agent' else 'caller' end, text,
    case turn % 2 when 0 then 3000 end, case turn % 2 when 0 then true end,
    case turn % 2 when 0 then '{"thinkMs": 300, "pauseMs": 500}'::jsonb end,
    case turn % 2 when 0 then 400 + floor(random() * 800)::int end
  from picked
  cross join lateral (values (0, a), (1, b), (2, c), (3, d)) spoken(turn, sentence)
  join sentences on sentences.id = sentence
  order by n, turn`
