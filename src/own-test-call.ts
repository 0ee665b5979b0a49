import { randomInt } from 'node:crypto'
import { placeCall } from './caller/call.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import type { TestCalls } from './desk/test-call.ts'
import { Wheel } from './media/wheel.ts'
import { httpAddressHere } from './own-address.ts'
import type { Directory } from './store/directory.ts'
import { testCalls } from './twilio/test-call.ts'

/** Calls of our own, to our own Asterisk: they come in as Twilio's do. */
export function ownTestCalls({ http, sip, twilio }: Config, directory: Directory): TestCalls {
  const clock = systemClock
  // Not for sound that anybody listens to: chance that needs no secret.
  const random = () => randomInt(2 ** 31) / 2 ** 31
  return testCalls({
    accountSid: twilio.accountSid,
    authToken: twilio.authToken?.reveal(),
    publicBaseUrl: twilio.publicBaseUrl,
    localBaseUrl: httpAddressHere(http),
    phoneNumber: twilio.phoneNumber,
    businesses: () => directory.upToDate(),
    clock,
    dial({ user, host, port, transport, parameters, headers, callerId }) {
      const target = { address: '127.0.0.1', port: transport === 'tcp' ? sip.tcpPort : sip.udpPort }
      const named = { host: `${host}:${port}`, parameters, headers }
      const from = callerId === undefined ? {} : { from: callerId }
      return placeCall({ clock, wheel: new Wheel(clock), random }, { target, transport, user, ...named, ...from })
    },
  })
}
