import type { Machine } from './machine.ts'
import { type Conditions, figure, goalText, measuredText, type Row, verdictOf } from './row.ts'

export interface Section {
  readonly title: string
  /** How it was measured, so that the figures can be judged. */
  readonly method: string
  readonly rows: readonly Row[]
}

const head = [
  'figure',
  'goal',
  'measured',
  'verdict',
  'raw UDP echo p50 / p99, ms',
  "far end's lateness p50 / p99 / max, ms",
  'CPU, % of a core',
  'steal, %',
]

export function document(command: string, machine: Machine, sections: readonly Section[]): string {
  const rows = sections.flatMap(section => section.rows)
  const missed = rows.filter(row => verdictOf(row) === 'MISSED').length
  const others = Math.max(0, ...rows.map(row => row.conditions?.othersCpu ?? 0))
  const goals = rows.filter(row => verdictOf(row) !== 'no goal').length
  return [
    '# Benchmarks',
    `Written by \`${command}\`, all of it from one run; nothing here is typed by hand. ` +
      `${goals - missed} of ${goals} goals met${missed > 0 ? `, **${missed} MISSED**` : ''}. ` +
      `What else ran on the machine took up to ${others.toFixed(0)} % of a core.`,
    machineTable(machine),
    reading,
    ...sections.map(sectionText),
  ].join('\n\n')
}

const reading = `How to read the rows. The raw echo is one datagram of a call's size to a bare process and back, measured in
the same seconds beside the load: what the machine itself takes. The far end's lateness is how long after its deadline each of
its own packets left. CPU is told by process; "others" is everything else that ran on the machine, and should be near
nothing for the figures to count.`

function machineTable(machine: Machine): string {
  return table(
    ['', ''],
    Object.entries(machine).map(([name, value]) => [name, value]),
  )
}

function sectionText({ title, method, rows }: Section): string {
  return `## ${title}\n\n${method}\n\n${table(head, rows.map(cells))}`
}

function cells(row: Row): string[] {
  const { subject, checks, notes, conditions } = row
  const verdict = verdictOf(row)
  return [
    subject,
    checks.map(goalText).join('; '),
    [...checks.map(measuredText), ...notes].join('; '),
    verdict === 'MISSED' ? '**MISSED**' : verdict,
    ...conditionCells(conditions),
  ]
}

function conditionCells(conditions: Conditions | undefined): string[] {
  if (!conditions) return ['', '', '', '']
  const { echoMs, callerLateMs, cpu, othersCpu, steal } = conditions
  const shares = [...Object.entries(cpu), ['others', othersCpu] as const]
  return [
    echoMs ? `${figure(echoMs.p50)} / ${figure(echoMs.p99)}` : '',
    callerLateMs ? `${figure(callerLateMs.p50)} / ${figure(callerLateMs.p99)} / ${figure(callerLateMs.max)}` : '',
    shares.map(([name, share]) => `${name} ${share.toFixed(0)}`).join(', '),
    steal.toFixed(1),
  ]
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')
}

/** For the terminal, while the run goes on. */
export function rowText(row: Row): string {
  const { subject, checks, notes, conditions } = row
  const goals = checks.length > 0 ? ` (goal: ${checks.map(goalText).join('; ')})` : ''
  const [echo, lateness, cpu, steal] = conditionCells(conditions)
  const circumstances = conditions ? `\n    echo ${echo}; far end late ${lateness}; CPU ${cpu}; steal ${steal}` : ''
  return `${verdictOf(row)}: ${subject}: ${[...checks.map(measuredText), ...notes].join('; ')}${goals}${circumstances}`
}
