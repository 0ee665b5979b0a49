import { expect, it } from 'vitest'
import { examine } from '../../../src/commands/doctor/examine.ts'
import { greeted, House } from './house.ts'

it('the doctor finds a running Parley well, knows its ports, and tells a wrong password from an Asterisk that is gone', async () => {
  // It is not allowed to reach a private address: what is to be told there fails for good.
  const hook = { name: 'crm', url: 'http://127.0.0.1:9/', secret: 'TOOL_CRM', events: ['call.ended'] }
  await using house = await House.open({
    business: { hooks: [hook] },
    environment: { TOOL_CRM: 'a secret of this integrator' },
  })
  const found = async (more: Record<string, string> = {}) =>
    (await examine(house.stateDir, { ...house.environment, ...more })).map(
      ({ check, severity, words }) => `${severity} ${check}: ${words}`,
    )
  const well = await found()
  expect(well.filter(line => line.startsWith('error'))).toEqual([])
  expect(well).toContain('ok gateway: Parley is running and would answer a call.')
  expect(well).toContain(
    `ok ports: TCP ${house.sipPort} (SIP_TCP_PORT) is held by Parley itself (process ${await house.asteriskPid()}).`,
  )
  expect(well).toContain(`ok ports: TCP ${house.httpPort} (HTTP_PORT) is held by Parley itself (process ${house.pid}).`)
  expect(well).toContainEqual(expect.stringMatching(/^ok asterisk: Asterisk \d+\.\d+\.\d+ \(\w+\) has all \d+ modules/))
  expect(well).toContainEqual(expect.stringMatching(/^ok ari: The running Asterisk is \d+\.\d+\.\d+/))
  expect(well).toContain('ok ari: It runs every module that calls need.')

  expect(well).toContain('ok hooks: The hook has its secret.')
  expect(well).toContain('ok jobs: No job waits for a person: none has failed.')
  expect(well).toContainEqual(expect.stringMatching(/^ok recordings: \d+\.\d GB are free for recordings and voicemail/))
  expect(well).toContain('ok digests: Messages are not written down (TRANSCRIBER=none).')

  const call = await greeted(await house.dial())
  await call.hangup()
  const waiting = 'warning jobs: 1 job has failed for good, and nobody tries again (1 deliver).'
  await house.until(async () => (await found()).includes(waiting))

  const wrong = await found({ ARI_PASSWORD: 'not-the-password' })
  expect(wrong).toContainEqual(expect.stringMatching(/^error ari: ARI at \S+ refuses the password \(401\)/))
  expect(wrong.join()).not.toContain('not-the-password')

  await house.signal('SIGKILL')
  const left = await found()
  expect(left).toContainEqual(expect.stringMatching(/^hint gateway: .*the Asterisk it left \(process \d+\)/))
  expect(left.filter(line => line.startsWith('error'))).toEqual([])
})
