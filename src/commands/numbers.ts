import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { z } from 'zod'
import { readYaml } from '../business-yaml.ts'
import { loadConfig } from '../config.ts'
import { asError } from '../errors.ts'
import { limits } from '../limits.ts'
import { carrierNumber, numberList, offeredNumbers, released } from '../server/number-schemas.ts'
import { onboarded } from '../server/onboarding-routes.ts'
import { type Api, ApiRefused, openApi } from './api.ts'

const usage = `The telephone numbers of the Twilio account, by way of the running gateway.

  npm run numbers -- list
  npm run numbers -- search COUNTRY [--kind local|mobile|tollFree] [--area-code N] [--contains DIGITS] [--sms]
  npm run numbers -- buy NUMBER --business ID [--address SID] [--bundle SID]
  npm run numbers -- fix [NUMBER]
  npm run numbers -- assign NUMBER --business ID
  npm run numbers -- release NUMBER NUMBER
  npm run numbers -- onboard FILE --buy NUMBER|--take NUMBER [--address SID] [--bundle SID] [--no-test]

  list      all of them, whose they are and what is wrong; the numbers of businesses that the account does not have, too
  search    those that can be bought, in a country such as US
  buy       for a business, with the addresses of this Parley set; it costs money from then on
  fix       sets the addresses of this Parley anew: of the one, or of all numbers of businesses here that have others
  assign    gives one to another business
  release   gives it back to Twilio for good, and so is said twice
  onboard   makes a business of a file like business.example.yaml with a number that is bought, or that the account has,
            and calls it`

await main().catch(error => {
  const problems = error instanceof ApiRefused ? error.problems : []
  console.error(`numbers: ${[asError(error).message, ...problems].join('\n  - ')}`)
  process.exitCode = 1
})

async function main(): Promise<void> {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const options = {
    ...{ kind: text, 'area-code': text, contains: text, sms: flag },
    ...{ business: text, address: text, bundle: text, buy: text, take: text, help: flag },
    ...{ 'no-test': flag },
  }
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const [command = '', one, again, ...rest] = positionals
  if (values.help) return console.log(usage)
  const api = () =>
    openApi(loadConfig(process.cwd()).config, limits.twilio.numbers.requestMs + limits.twilio.testCallMs)
  const { business } = values
  const alone = again === undefined
  if (rest.length === 0) {
    if (command === 'list' && one === undefined) return list(await api())
    if (command === 'search' && one && alone) return search(await api(), one, values)
    if (command === 'buy' && one && alone && business) return buy(await api(), one, business, values)
    if (command === 'fix' && alone) return fix(await api(), one)
    if (command === 'assign' && one && alone && business) return assign(await api(), one, business)
    if (command === 'onboard' && one && alone) return onboard(await api(), one, values)
    if (command === 'release' && one && again) return release(await api(), one, again)
  }
  throw new Error(`that is none of its commands.\n\n${usage}`)
}

async function list(api: Api): Promise<void> {
  const { numbers } = await api.get('/v1/numbers', numberList)
  if (numbers.length === 0) console.log('The account has no number, and no business names one.')
  for (const each of numbers) console.log(lineOf(each))
}

interface Wanted {
  readonly kind?: string
  readonly 'area-code'?: string
  readonly contains?: string
  readonly sms?: boolean
}

async function search(
  api: Api,
  country: string,
  { kind, 'area-code': areaCode, contains, sms }: Wanted,
): Promise<void> {
  const asked = { country, kind, areaCode, contains, sms: sms ? 'true' : undefined }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(asked)) if (value !== undefined) query.set(name, value)
  const { numbers } = await api.get(`/v1/numbers/available?${query}`, offeredNumbers)
  if (numbers.length === 0) console.log('There is none of that kind: search for another area.')
  for (const { number, place, voice, sms: texts, needsAddress } of numbers) {
    const can = [...(voice ? ['calls'] : []), ...(texts ? ['messages'] : [])].join(' and ')
    console.log([number, place, can, ...(needsAddress ? ['(needs --address)'] : [])].filter(Boolean).join('  '))
  }
}

async function buy(
  api: Api,
  number: string,
  business: string,
  { address, bundle }: { readonly address?: string; readonly bundle?: string },
): Promise<void> {
  const order = {
    ...{ number, business },
    ...(address !== undefined && { addressSid: address }),
    ...(bundle !== undefined && { bundleSid: bundle }),
  }
  console.log(`Bought: ${lineOf(await api.send('POST', '/v1/numbers', json(order), carrierNumber))}`)
}

async function fix(api: Api, number: string | undefined): Promise<void> {
  const all = number === undefined ? (await api.get('/v1/numbers', numberList)).numbers : undefined
  // What belongs to no business here may be something else's.
  const ours = all?.filter(({ sid, business }) => sid !== null && business !== null)
  const wanted = ours?.filter(({ problems }) => problems.length > 0).map(each => each.number)
  if (wanted?.length === 0) return console.log('Nothing is wrong with any of them.')
  for (const each of wanted ?? [number!]) {
    console.log(lineOf(await api.send('POST', `${pathOf(each)}/fix`, json({}), carrierNumber)))
  }
}

async function assign(api: Api, number: string, business: string): Promise<void> {
  console.log(lineOf(await api.send('PUT', pathOf(number), json({ business }), carrierNumber)))
}

async function release(api: Api, number: string, again: string): Promise<void> {
  await api.send('DELETE', pathOf(number), json({ number: again }), released)
  console.log(`${number} is given back.`)
}

interface NumberWanted {
  readonly buy?: string
  readonly take?: string
  readonly address?: string
  readonly bundle?: string
  readonly 'no-test'?: boolean
}

async function onboard(api: Api, file: string, { buy, take, address, bundle, 'no-test': untested }: NumberWanted) {
  if ((buy === undefined) === (take === undefined)) throw new Error('say which number: --buy one, or --take one.')
  const business = readYaml(await readFile(file, 'utf8'))
  const papers = {
    ...(address !== undefined && { addressSid: address }),
    ...(bundle !== undefined && { bundleSid: bundle }),
  }
  const asked = { business, number: take === undefined ? { buy, ...papers } : { take }, test: !untested }
  const done = await api.send('POST', '/v1/onboarding', json(asked), onboarded)
  console.log(lineOf(done.number))
  for (const { name, ok, afterMs, detail } of done.test?.steps ?? [])
    console.log(`  ${String(Math.round(afterMs)).padStart(6)} ms  ${ok ? 'ok  ' : 'FAIL'}  ${name}  ${detail}`)
  if (done.test && !done.test.ok) process.exitCode = 1
}

function lineOf({ number, business, problems }: z.infer<typeof carrierNumber>): string {
  return [number, business ?? '-', problems.length === 0 ? 'all right' : problems.join('; ')].join('  ')
}

function json(body: object) {
  return { type: 'application/json', text: JSON.stringify(body) }
}

function pathOf(number: string): string {
  return `/v1/numbers/${encodeURIComponent(number)}`
}
