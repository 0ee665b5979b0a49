import { type DayOf, hoursAreKnown, spansOf, weekdays } from '../../agent/hours.ts'
import type { Business } from '../../business.ts'
import { capitalised, dayNamed, spokenTime } from './calendar.ts'
import type { Meaning } from './meaning.ts'

/** What the business has to say about itself. What it has not told us is not made up. */
export function answerAbout(meaning: Meaning, business: Business, today: DayOf): string | undefined {
  switch (meaning.intent) {
    case 'hours':
      return meaning.day ? hoursOn(meaning.day, business, today) : allHours(business)
    case 'address':
      return business.address ? `Our address is ${business.address}.` : 'I am sorry, I do not know our address.'
    case 'phone':
      return business.numbers[0]
        ? `Our number is ${spokenNumber(business.numbers[0])}.`
        : 'I am sorry, I do not know our phone number.'
    case 'services':
      return business.services.length > 0
        ? `We offer ${listed(business.services.map(({ name }) => name))}.`
        : 'I am sorry, I have no list of our services.'
    case 'price':
      return priceOf(meaning.service, business)
    case 'duration': {
      const service = business.services.find(({ name }) => name === meaning.service)
      return service && `${service.name} takes ${service.minutes} minutes.`
    }
    default:
      return undefined
  }
}

function hoursOn(name: string, business: Business, today: DayOf): string {
  if (!hoursAreKnown(business)) return 'I am sorry, I do not know our opening hours.'
  const day = dayNamed(name, today)
  const spans = spansOf(business, day)
  const when = name === day.weekday ? `On ${capitalised(day.weekday)}` : `${capitalised(name)}`
  return spans.length === 0 ? `${when} we are closed.` : `${when} we are open ${spoken(spans)}.`
}

function allHours(business: Business): string {
  if (!hoursAreKnown(business)) return 'I am sorry, I do not know our opening hours.'
  const days = weekdays.flatMap(weekday => {
    const spans = business.hours[weekday] ?? []
    return spans.length === 0 ? [] : [`${capitalised(weekday)} ${spoken(spans)}`]
  })
  return `We are open ${listed(days)}.`
}

function spoken(spans: readonly { readonly from: string; readonly to: string }[]): string {
  return spans.map(({ from, to }) => `from ${spokenTime(from)} to ${spokenTime(to)}`).join(' and ')
}

function priceOf(name: string | undefined, { services }: Business): string {
  const asked = services.filter(service => name === undefined || service.name === name)
  const priced = asked.flatMap(({ name, price }) => (price ? [`${name} costs ${price}`] : []))
  return priced.length > 0 ? `${listed(priced)}.` : 'I am sorry, I do not know the price of that.'
}

export function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}

/** Digit by digit, in groups. */
export function spokenNumber(number: string): string {
  const digits = number.replace(/[^0-9*#]/g, '')
  return digits
    .split('')
    .map((digit, at) => `${digit}${at % 3 === 2 && at < digits.length - 2 ? ',' : ''}`)
    .join(' ')
}
