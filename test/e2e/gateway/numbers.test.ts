import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testCallSteps } from '../../../src/desk/test-call.ts'
import { TwilioServer } from '../../support/twilio-server.ts'
import { House } from './house.ts'

const run = promisify(execFile)

let house: House
let twilio: TwilioServer
beforeAll(async () => {
  twilio = await TwilioServer.start()
  house = await House.open({
    environment: {
      TWILIO_ACCOUNT_SID: TwilioServer.account.sid,
      TWILIO_AUTH_TOKEN: TwilioServer.account.authToken,
      TWILIO_BASE_URL: twilio.url,
      PUBLIC_BASE_URL: 'https://parley.example.com',
      SIP_DOMAIN: 'sip.example.com',
    },
  })
})
afterAll(async () => {
  await house?.[Symbol.asyncDispose]()
  await twilio[Symbol.asyncDispose]()
})

/** What `npm run numbers` prints. */
async function numbers(...given: readonly string[]): Promise<string> {
  const program = join(import.meta.dirname, '../../../src/commands/numbers.ts')
  const { stdout } = await run(process.execPath, [program, ...given], { cwd: house.stateDir, env: house.environment })
  return stdout.trim()
}

it('are searched, bought, fixed, and released by the command, through the gateway', async () => {
  expect(await numbers('list')).toBe('The account has no number, and no business names one.')
  expect(await numbers('search', 'US', '--area-code', '555', '--contains', '0301', '--sms')).toBe(
    '+15550100301  Springfield, MA  calls and messages',
  )
  expect(await numbers('buy', '+15550100301', '--business', 'test-house')).toBe(
    'Bought: +15550100301  test-house  all right',
  )
  const { body } = await house.get<{ businesses: object[] }>('/v1/businesses')
  expect(body.businesses).toMatchObject([{ id: 'test-house', numbers: ['+15550100301'] }])
  const [owned] = [...twilio.numbers.values()]
  expect(owned).toMatchObject({ voice_url: 'https://parley.example.com/v1/twilio/call' })
  owned!.voice_url = 'https://elsewhere.example.com'
  expect(await numbers('list')).toBe('+15550100301  test-house  its voiceUrl is not that of this Parley')
  expect(await numbers('fix')).toBe('+15550100301  test-house  all right')
  // What the account has for something else stays as it is, unless it is named.
  const foreign = {
    ...owned!,
    sid: `PN${'9'.repeat(32)}`,
    phone_number: '+15550100350',
    voice_url: 'https://shop.example.com',
  }
  twilio.numbers.set(foreign.sid, foreign)
  expect(await numbers('fix')).toBe('Nothing is wrong with any of them.')
  expect(foreign.voice_url).toBe('https://shop.example.com')
  twilio.numbers.delete(foreign.sid)
  const wrong = numbers('release', '+15550100301', '+15550100302')
  await expect(wrong).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('Repeat the number') })
  expect(await numbers('release', '+15550100301', '+15550100301')).toBe('+15550100301 is given back.')
  expect(await numbers('list')).toBe('The account has no number, and no business names one.')
  const unsold = numbers('buy', '+15550100399', '--business', 'test-house')
  await expect(unsold).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('21422') })
  const file = join(house.stateDir, 'bakery.yaml')
  await writeFile(file, 'name: Bakery\ngreeting: Fresh bread!\n')
  const [made, ...steps] = (await numbers('onboard', file, '--buy', '+15550100302')).split('\n')
  expect(made).toBe('+15550100302  bakery  all right')
  expect(steps.map(step => step.trim().split(/\s+/)[3])).toEqual([...testCallSteps])
  const again = numbers('onboard', file, '--take', '+15550100302', '--no-test')
  await expect(again).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('there is a business') })
  expect(twilio.problems).toEqual([])
  expect(house.log.join('\n')).not.toContain(TwilioServer.account.authToken)
})
