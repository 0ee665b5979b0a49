import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CallEvent } from '../../src/call/events.ts'
import { type Journal, openJournal } from '../../src/call/journal.ts'
import { JOURNAL_START, type JournalPosition, readJournal } from '../../src/call/journal-reader.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-journal-'))
})
afterEach(() => {
  chmodSync(folder, 0o700)
  rmSync(folder, { recursive: true })
})

function event(number: number): CallEvent {
  return { call: `call-${number}`, business: 'dentist', atMs: number, fact: { name: 'takenOver' } }
}

async function open(totalBytes?: number) {
  const trouble: string[] = []
  const clock = new VirtualClock()
  const options = { directory: join(folder, 'journal'), clock, trouble: (text: string) => void trouble.push(text) }
  const journal = await openJournal(totalBytes === undefined ? options : { ...options, totalBytes })
  return { journal, trouble, clock }
}

async function callsInJournal(): Promise<string[]> {
  const calls: string[] = []
  for await (const each of readJournal(join(folder, 'journal'))) calls.push(each.call)
  return calls
}

function same(one: JournalPosition, other: JournalPosition): boolean {
  return one.segment === other.segment && one.byte === other.byte
}

describe('the journal', () => {
  it('keeps events in order, over restarts, readable by their owner only', async () => {
    for (const start of [0, 3]) {
      const { journal } = await open()
      for (let number = start; number < start + 3; number++) journal.append(event(number))
      await journal.flushed()
      await journal.close()
    }
    expect(await callsInJournal()).toEqual(['call-0', 'call-1', 'call-2', 'call-3', 'call-4', 'call-5'])
    const [segment = ''] = readdirSync(join(folder, 'journal'))
    expect(statSync(join(folder, 'journal', segment)).mode & 0o077).toBe(0)
    expect(statSync(join(folder, 'journal')).mode & 0o077).toBe(0)
  })

  it('has an event on the disk once flushed, before it is closed', async () => {
    const { journal } = await open()
    journal.append(event(1))
    await journal.flushed()
    expect(await callsInJournal()).toEqual(['call-1'])
    await journal.close()
  })

  it('cuts off a line that a crash tore, and goes on behind the last whole one', async () => {
    const { journal } = await open()
    journal.append(event(1))
    await journal.close()
    const [segment = ''] = readdirSync(join(folder, 'journal'))
    appendFileSync(join(folder, 'journal', segment), '{"call":"half')
    expect(await callsInJournal()).toEqual(['call-1'])
    const again = await open()
    again.journal.append(event(2))
    await again.journal.close()
    expect(await callsInJournal()).toEqual(['call-1', 'call-2'])
    expect(readFileSync(join(folder, 'journal', segment), 'utf8')).not.toContain('half')
  })

  async function write(journal: Journal, count: number): Promise<void> {
    for (let number = 0; number < count; number++) {
      journal.append(event(number))
      await journal.flushed()
    }
  }

  it('is bounded: an operator is told before, the oldest segment goes, and what is lost is counted', async () => {
    const { journal, trouble } = await open(8 * 600)
    await write(journal, 200)
    await journal.close()
    const calls = await callsInJournal()
    expect(calls.at(-1)).toBe('call-199')
    expect(calls.length).toBeLessThan(80)
    expect(calls).toEqual(Array.from(calls, (_, index) => `call-${200 - calls.length + index}`))
    expect(readdirSync(join(folder, 'journal')).filter(name => name.endsWith('.jsonl'))).toHaveLength(8)
    expect(trouble.slice(0, 3)).toEqual([
      expect.stringMatching(/^What the database has not taken fills 5\d % of the journal: at its bound/),
      expect.stringMatching(/fills 8\d %/),
      expect.stringMatching(/0000000001.jsonl, was dropped, and with it 7 events that the database has not taken/),
    ])
    expect(journal.figures.shed).toBe(200 - calls.length)
  })

  it('lets what the store has taken go without a word, and knows the place after a restart', async () => {
    const first = await open(8 * 600)
    let at = JOURNAL_START
    for (let number = 0; number < 200; number++) {
      await write(first.journal, 1)
      for (let before: JournalPosition | undefined; !before || !same(before, at); ) {
        before = at
        at = (await first.journal.read(at)).next
      }
      first.journal.taken(at)
    }
    expect(first.journal.figures).toMatchObject({ shed: 0, waitingBytes: 0, waitingMs: 0 })
    await write(first.journal, 1)
    const { waitingBytes } = first.journal.figures
    expect(waitingBytes).toBeGreaterThan(0)
    await first.journal.close()
    const again = await open(8 * 600)
    expect(again.journal.figures).toMatchObject({ waitingBytes, shed: 0 })
    expect([first.trouble, again.trouble]).toEqual([[], []])
    await again.journal.close()
  })

  async function readAll(journal: Journal, from: JournalPosition): Promise<{ calls: string[]; at: JournalPosition }> {
    const calls: string[] = []
    for (let at = from; ; ) {
      const { events, next } = await journal.read(at)
      calls.push(...events.map(({ call }) => call))
      if (same(next, at)) return { calls, at }
      at = next
    }
  }

  it('of an older state than the database has read tells what is written from then on, and nothing twice', async () => {
    const first = await open()
    await write(first.journal, 2)
    await first.journal.close()
    cpSync(join(folder, 'journal'), join(folder, 'backup'), { recursive: true })
    const later = await open()
    await write(later.journal, 9)
    const { at: ahead } = await readAll(later.journal, JOURNAL_START)
    later.journal.taken(ahead)
    await later.journal.close()
    rmSync(join(folder, 'journal'), { recursive: true })
    renameSync(join(folder, 'backup'), join(folder, 'journal'))

    const { journal, trouble } = await open()
    journal.append(event(100))
    await journal.flushed()
    // A first time for nothing: the database does not take it.
    expect((await journal.read(ahead)).events.map(({ call }) => call)).toEqual(['call-100'])
    expect(trouble[0]).toMatch(/STATE_DIR is older than the database/)
    for (let number = 101; number < 120; number++) journal.append(event(number))
    await journal.flushed()
    const piece = await journal.read(ahead)
    expect(piece.events).toHaveLength(20)
    // It took it, and could not say so.
    journal.append(event(120))
    await journal.flushed()
    const { calls, at } = await readAll(journal, piece.next)
    expect(calls).toEqual(['call-120'])
    journal.taken(at)
    expect((await readAll(journal, at)).calls).toEqual([])
    // A database that is set back is told again all that there is.
    expect((await readAll(journal, JOURNAL_START)).calls).toHaveLength(23)
    await journal.close()
  })

  it('tells anew when what waited was taken and then piles up again', async () => {
    const { journal, trouble } = await open(8 * 600)
    await write(journal, 40)
    expect(trouble).toHaveLength(1)
    journal.taken({ segment: 100, byte: 0 })
    await write(journal, 1)
    expect(trouble).toHaveLength(1)
    journal.taken(JOURNAL_START)
    await write(journal, 1)
    expect(trouble).toHaveLength(2)
    await journal.close()
  })

  it('keeps events in memory while the disk refuses them, and writes them in order when it takes them again', async () => {
    const { journal, trouble, clock } = await open(8 * 100)
    journal.append(event(0))
    await journal.flushed()
    // The next segment cannot be created: its name is taken by a folder.
    const blocked = join(folder, 'journal', '0000000002.jsonl')
    writeFileSync(blocked, '')
    for (let number = 1; number < 4; number++) journal.append(event(number))
    while (!journal.figures.failing) await clock.settle()
    expect(trouble[0]).toMatch(/cannot be written .*Free space/)
    expect(journal.figures.queued).toBe(3)
    for (let attempt = 0; attempt < 5; attempt++) {
      clock.advance(1_000)
      await clock.settle()
    }
    expect(trouble).toHaveLength(1)
    rmSync(blocked)
    // An attempt that is still on its way fails, and sets its own time for the next.
    while (journal.figures.queued > 0) {
      clock.advance(1_000)
      await clock.settle()
    }
    await journal.flushed()
    await journal.close()
    expect(await callsInJournal()).toEqual(['call-0', 'call-1', 'call-2', 'call-3'])
    expect(clock.pending).toBe(0)
  })

  it('never says that an event is on the disk when it was closed without it', async () => {
    const { journal, clock } = await open(8 * 100)
    journal.append(event(0))
    await journal.flushed()
    writeFileSync(join(folder, 'journal', '0000000002.jsonl'), '')
    journal.append(event(1))
    journal.append(event(2))
    while (!journal.figures.failing) await clock.settle()
    const flushed = expect(journal.flushed()).rejects.toThrow(/not on the disk/)
    await journal.close()
    await flushed
    await expect(journal.flushed()).rejects.toThrow(/not on the disk/)
  })

  it('says what to do when its folder cannot be written', async () => {
    writeFileSync(join(folder, 'journal'), 'a file stands here')
    await expect(open()).rejects.toThrow(/STATE_DIR/)
  })
})

describe('what the store has taken', () => {
  /** As the store does it. */
  async function takeAll(journal: Journal, from: JournalPosition): Promise<JournalPosition> {
    for (let at = from; ; ) {
      const { next } = await journal.read(at)
      if (same(next, at)) return at
      journal.taken(next)
      at = next
    }
  }

  async function house() {
    const { journal, trouble } = await open()
    let reached = JOURNAL_START
    const settled = async () => {
      reached = await takeAll(journal, reached)
    }
    const drop = (call: string, meanwhile = () => {}) => {
      const notOver = async () => {
        meanwhile()
        return new Set([call])
      }
      return journal.dropTaken({ settled, notOver })
    }
    return { journal, trouble, drop, settled }
  }

  it('goes when it is to, but for calls that are not over; what is written meanwhile stays', async () => {
    const { journal, trouble, drop, settled } = await house()
    for (const number of [0, 1, 0]) journal.append(event(number))
    await journal.flushed()
    expect(await drop('call-1', () => journal.append(event(2)))).toBe(true)
    await journal.flushed()
    expect(await callsInJournal()).toEqual(['call-1', 'call-2'])
    journal.append(event(3))
    await journal.flushed()
    expect(await drop('call-1')).toBe(true)
    expect(await callsInJournal()).toEqual(['call-1'])
    journal.append(event(4))
    await journal.flushed()
    await settled()
    await journal.close()

    // The next life finds what is not over, and goes on.
    const { journal: next } = await open()
    next.append(event(5))
    await next.flushed()
    expect(await callsInJournal()).toEqual(['call-1', 'call-4', 'call-5'])
    await next.close()
    expect(trouble).toEqual([])
  })

  it('stays, all of it, as long as the store does not take it', async () => {
    const { journal, trouble } = await open()
    journal.append(event(0))
    await journal.flushed()
    const dropTaken = () => journal.dropTaken({ settled: async () => {}, notOver: async () => new Set() })
    for (let times = 0; times < 20; times++) expect(await dropTaken()).toBe(false)
    expect([await callsInJournal(), trouble]).toEqual([['call-0'], []])
    await journal.close()
    await expect(dropTaken()).resolves.toBe(false)
  })

  it('goes over and over again, and never with what stands for later', async () => {
    const { journal, trouble, drop } = await house()
    journal.append(event(0))
    for (let number = 1; number < 30; number++) {
      journal.append(event(number))
      await journal.flushed()
      expect(await drop('call-0')).toBe(true)
    }
    expect([await callsInJournal(), readdirSync(join(folder, 'journal')).length, trouble]).toEqual([['call-0'], 4, []])
    await journal.close()
  })
})
