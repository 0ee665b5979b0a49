import { type DayOf, daysAfter, type Span, type Weekday, weekdays } from '../../agent/hours.ts'

/** A weekday is the next one of that name: never today. */
export function dayNamed(name: string, today: DayOf): DayOf {
  const ahead = { today: 0, tomorrow: 1, 'day after tomorrow': 2 }[name]
  const days = ahead ?? ((weekdays.indexOf(name as Weekday) - weekdays.indexOf(today.weekday) + 6) % 7) + 1
  return daysAfter(today, days)
}

/** Which time of the day was meant: "15:00", or a part of the day as it was said. Nothing when the business is closed then. */
export function timeMeant(said: string, spans: readonly Span[] | undefined): string | undefined {
  const clock = /^(\d+):(\d+)(?: (am|pm))?$/.exec(said)
  if (!clock) return spans && !spans.some(span => overlaps(said, span)) ? undefined : said
  const [, hour, minute, half] = clock
  const base = Number(hour) % 12
  const hours = half === 'am' ? [base] : half === 'pm' ? [base + 12] : likely(base)
  const times = hours.map(each => `${String(each).padStart(2, '0')}:${minute}`)
  return spans ? times.find(time => spans.some(({ from, to }) => time >= from && time < to)) : times[0]
}

/** Without am or pm people mean the time that is nearer to the middle of a working day. */
function likely(hour: number): readonly number[] {
  return hour >= 7 ? [hour, hour + 12] : [hour + 12, hour]
}

function overlaps(part: string, { from, to }: Span): boolean {
  const [begin, end] = { morning: ['00:00', '12:00'], afternoon: ['12:00', '18:00'] }[part] ?? ['18:00', '24:00']
  return from < end! && to > begin!
}

/** "13:30" as it is spoken. */
export function spokenTime(time: string): string {
  const clock = /^(\d+):(\d+)$/.exec(time)
  if (!clock) return `in the ${time}`
  const hour = Number(clock[1])
  const minutes = clock[2] === '00' ? '' : ` ${clock[2]}`
  if (hour === 12 && minutes === '') return 'noon'
  return `${hour % 12 || 12}${minutes} ${hour < 12 ? 'AM' : 'PM'}`
}

export function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
