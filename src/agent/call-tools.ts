import { z } from 'zod'
import { tellsWhoCalls } from '../call/caller-number.ts'
import type { LiveCall } from '../call/ports.ts'
import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import { defineTool } from './define-tool.ts'
import { openingAt } from './hours.ts'
import type { Tool } from './ports.ts'
import type { Speech } from './speech.ts'

const number = z.string().max(40).describe('To call back, if it is another than the one the caller calls from.')

/** What a model can do in every call, besides ending it. */
export function callTools(
  call: LiveCall,
  clock: Clock,
  speech: Pick<Speech, 'hold'>,
  declineRecording: () => void,
): readonly Tool[] {
  const common = [takeMessage(call), rememberCaller(call), sendDigits(call, speech), currentTime(call, clock)]
  const ofRecording = call.recording ? [stopRecording(declineRecording)] : []
  return [...common, ...ofRecording, ...(call.business.outbound.enabled ? [doNotCall(call)] : [])]
}

function takeMessage({ emit, facts }: LiveCall): Tool {
  return defineTool({
    name: 'take_message',
    description: 'Keeps a message for the business, with the number to call back. Read it back to the caller before.',
    args: z.strictObject({
      message: z.string().min(1).max(limits.agent.messageChars),
      person: z.string().max(100).describe('Whom it is for, if not for everybody.').optional(),
      number: number.optional(),
      urgent: z.boolean().describe('True only if it cannot wait: somebody is told at once.').optional(),
    }),
    effect: 'write',
    timeoutMs: 2_000,
    async run({ message: text, person, number, urgent }) {
      const callback = number ?? facts.callerNumber
      emit({ name: 'messageTaken', ...(urgent && { urgent }), private: { text, callback, ...(person && { person }) } })
      return { ok: true, value: 'kept' }
    },
  })
}

function rememberCaller({ emit }: LiveCall): Tool {
  return defineTool({
    name: 'remember_caller',
    description: "Keeps the caller's name for this call and the next. For a name that they have told for themselves.",
    args: z.strictObject({ name: z.string().trim().min(1).max(limits.context.nameChars) }),
    effect: 'write',
    timeoutMs: 2_000,
    async run({ name }) {
      emit({ name: 'callerNamed', by: 'caller', private: { name } })
      return { ok: true, value: 'kept' }
    },
  })
}

/** Of a business that calls people. Whoever it has called, and whoever calls back because it has. */
function doNotCall({ emit, facts: { callerNumber: number } }: LiveCall): Tool {
  return defineTool({
    name: 'do_not_call',
    description:
      'Puts the number of this call on the list of those that the business never calls. For whoever wants that.',
    args: z.strictObject({}),
    effect: 'write',
    timeoutMs: 2_000,
    async run() {
      if (!tellsWhoCalls(number)) return { ok: false, problem: 'The number that they call from is withheld.' }
      emit({ name: 'callsForbidden', private: { number } })
      return { ok: true, value: 'kept' }
    },
  })
}

function stopRecording(decline: () => void): Tool {
  return defineTool({
    name: 'stop_recording',
    description: 'Ends the recording of this call, for good. For a caller who does not want to be recorded.',
    args: z.strictObject({}),
    effect: 'write',
    timeoutMs: 2_000,
    async run() {
      decline()
      return { ok: true, value: 'The call is not recorded from here on.' }
    },
  })
}

function sendDigits(call: LiveCall, speech: Pick<Speech, 'hold'>): Tool {
  return defineTool({
    name: 'send_digits',
    description: "Sends keypad digits to the caller's side, for a machine that asks for them. w waits half a second.",
    args: z.strictObject({
      digits: z
        .string()
        .max(limits.call.digitsSent)
        .regex(/^[0-9*#A-Dw]+$/),
    }),
    effect: 'write',
    repeatable: true,
    timeoutMs: limits.agent.toolMs,
    async run({ digits }) {
      // What is said meanwhile would be lost.
      const goOn = speech.hold()
      try {
        await call.sendDigits(digits)
      } finally {
        goOn()
      }
      return { ok: true, value: 'sent' }
    },
  })
}

function currentTime({ business }: LiveCall, clock: Clock): Tool {
  return defineTool({
    name: 'current_time',
    description: 'Tells the date, the weekday and the time where the business is, and whether it is open.',
    args: z.strictObject({}),
    effect: 'read',
    timeoutMs: 1_000,
    run: async () => ({ ok: true, value: openingAt(clock.wallMs(), business) }),
  })
}
