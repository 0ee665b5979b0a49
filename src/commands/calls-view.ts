import type { CallSummary, ChannelList } from '../server/schemas.ts'

export interface Snapshot {
  readonly calls: readonly CallSummary[]
  readonly ended: number
  /** Or why Asterisk's side cannot be shown. */
  readonly asterisk: ChannelList | string
}

interface Column {
  readonly title: string
  readonly align?: 'right'
  /** Gives way first when the terminal is narrow. */
  readonly shrinks?: true
}

const callColumns: readonly Column[] = [
  { title: 'CALL', shrinks: true },
  { title: 'FROM' },
  { title: 'STATE' },
  { title: 'SINCE', align: 'right' },
  { title: 'ENGINE' },
  { title: 'CODEC' },
  { title: 'LOSS', align: 'right' },
  { title: 'JITTER', align: 'right' },
]
const channelColumns: readonly Column[] = [
  { title: 'CHANNEL', shrinks: true },
  { title: 'NAME', shrinks: true },
  { title: 'STATE' },
  { title: 'CALL', shrinks: true },
]
const bridgeColumns: readonly Column[] = [
  { title: 'BRIDGE', shrinks: true },
  { title: 'TECHNOLOGY' },
  { title: 'CHANNELS', shrinks: true },
  { title: 'CALL', shrinks: true },
]
const GAP = '  '
const LEAST_WIDTH = 8
const ORPHAN = 'ORPHAN'

/** The calls and Asterisk's channels and bridges, as lines no longer than the terminal is wide. */
export function renderCalls(snapshot: Snapshot, width: number): string[] {
  const { asterisk } = snapshot
  const below =
    typeof asterisk === 'string'
      ? [`Asterisk's side cannot be shown: ${clean(asterisk)}`]
      : renderAsterisk(asterisk, width)
  return [headline(snapshot), '', ...renderLive(snapshot.calls, width), '', ...below].map(line => cut(line, width))
}

/** Written over what the terminal shows, so that nothing flickers; what does not fit is counted. */
export function frameOf(lines: readonly string[], rows: number): string {
  const more = lines.length - rows
  const shown = more > 0 ? [...lines.slice(0, rows - 1), `... ${more + 1} more lines: --once shows all`] : lines
  return `\x1b[H${shown.map(line => `${line}\x1b[K`).join('\n')}\x1b[J`
}

function headline({ calls, ended, asterisk }: Snapshot): string {
  const counts = [count(calls.length, 'live call'), `${ended} ended`]
  if (typeof asterisk !== 'string') {
    const { channels, bridges } = asterisk
    const orphans = [...channels, ...bridges].filter(each => each.call === 'orphan').length
    counts.push(count(channels.length, 'channel'), count(bridges.length, 'bridge'), count(orphans, 'orphan'))
  }
  return counts.join(', ')
}

function renderLive(calls: readonly CallSummary[], width: number): string[] {
  const rows = calls.map(call => [
    call.id,
    call.private?.callerNumber ?? call.from,
    stateOf(call),
    duration(call.durationMs),
    call.engine ?? '-',
    call.codec ?? '-',
    call.quality ? `${call.quality.lossPercent.toFixed(1)}%` : '-',
    call.quality ? `${call.quality.jitterMs.toFixed(1)} ms` : '-',
  ])
  const [head = '', ...lines] = table(callColumns, rows, width)
  return [head, ...lines.flatMap((line, index) => [line, carriers(calls[index]!)])]
}

function stateOf({ state, transferredTo }: CallSummary): string {
  const told = transferredTo !== null && (state === 'transferring' || state === 'connected')
  return told ? `${state} (${transferredTo})` : state
}

function carriers({ channels, bridge }: CallSummary): string {
  const ids = [channels.caller, channels.media ?? 'no media'].map(clean)
  return `  channels ${ids.join(', ')}  bridge ${clean(bridge ?? 'none')}`
}

function renderAsterisk({ channels, bridges }: ChannelList, width: number): string[] {
  const channelRows = channels.map(each => [each.id, each.name, each.state, owner(each.call)])
  const bridgeRows = bridges.map(each => [each.id, each.technology, each.channels.join(' ') || '-', owner(each.call)])
  return [...table(channelColumns, channelRows, width), '', ...table(bridgeColumns, bridgeRows, width)]
}

function owner(call: string): string {
  return call === 'orphan' ? ORPHAN : call
}

function table(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const cleaned = [columns.map(column => column.title), ...rows.map(row => row.map(clean))]
  const widths = fittedWidths(
    columns,
    columns.map((_, index) => Math.max(...cleaned.map(row => row[index]!.length))),
    width,
  )
  return cleaned.map(row =>
    row
      .map((cell, index) => {
        const text = shorten(cell, widths[index]!)
        return columns[index]!.align === 'right' ? text.padStart(widths[index]!) : text.padEnd(widths[index]!)
      })
      .join(GAP)
      .trimEnd(),
  )
}

/** The widest of the columns that may shrink gives way, again and again, until the line fits. */
function fittedWidths(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  const widths = [...natural]
  const total = () => widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1))
  while (total() > width) {
    const shrinking = columns.flatMap((column, index) =>
      column.shrinks && widths[index]! > LEAST_WIDTH ? [index] : [],
    )
    const [first, ...others] = shrinking
    if (first === undefined) break
    const widest = others.reduce((most, index) => (widths[index]! > widths[most]! ? index : most), first)
    widths[widest]!--
  }
  return widths
}

/** Ids and names differ at their ends: both ends are kept. */
function shorten(text: string, width: number): string {
  if (text.length <= width) return text
  const tail = Math.floor((width - 1) / 2)
  return `${text.slice(0, width - 1 - tail)}…${text.slice(text.length - tail)}`
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`
}

/** A caller chooses some of these texts; none of them may steer the terminal. */
function clean(text: string): string {
  return text.replace(/[^\x20-\x7e…]/g, '?')
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`
}

function duration(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map(each => String(each).padStart(2, '0'))
  const hours = Math.floor(seconds / 3_600)
  return hours > 0 ? `${hours}:${parts.join(':')}` : parts.join(':')
}
