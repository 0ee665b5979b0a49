import { onTestFinished } from 'vitest'
import { Secret } from '../../src/secret.ts'
import { Directory } from '../../src/store/directory.ts'
import { twilioRest } from '../../src/twilio/rest.ts'
import { MemoryRecords } from '../support/business-records.ts'
import { TwilioServer } from '../support/twilio-server.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

export const publicBaseUrl = 'https://parley.example.com'
/** That are for sale. */
export const [first, second] = ['+15550100301', '+15550100302'] as const

/** An account with Twilio, and a house with two businesses: dentist and plumber. */
export async function twilioAccount({ file }: { readonly file?: string } = {}) {
  const server = await TwilioServer.start()
  const clock = new VirtualClock()
  const { sid: accountSid, authToken } = TwilioServer.account
  const keys = { accountSid, authToken: new Secret(authToken), apiKey: undefined, apiSecret: undefined }
  const rest = twilioRest({ account: { ...keys, baseUrl: server.url }, clock })
  const records = new MemoryRecords()
  const directory = new Directory({
    defaults: { file, name: 'Dentist', phone: undefined, ownerPhone: undefined, engine: 'scripted' },
    ...{ nothingChosen: false, records, shared: true, clock },
    snapshot: { read: () => undefined, write: () => {}, written: async () => {} },
    ...{ told: () => {}, trouble: () => {}, changed: () => {} },
  })
  await directory.open()
  await directory.create({ name: 'Plumber' })
  onTestFinished(async () => {
    rest.close()
    await directory.close()
    await server[Symbol.asyncDispose]()
  })
  const numbersOf = (id: string) => directory.find(id)?.numbers
  return { server, clock, rest, records, directory, numbersOf }
}
