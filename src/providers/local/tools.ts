import { z } from 'zod'
import type { Tool } from '../../agent/ports.ts'
import type { LiveCall } from '../../call/ports.ts'

const message = z.object({ message: z.string(), person: z.string().optional(), number: z.string().optional() })
const appointment = z.object({ service: z.string().optional(), date: z.string(), time: z.string() })

/** What the built-in engine leaves for people: facts of the call, which the journal keeps. */
export function localTools(emit: LiveCall['emit'], callerNumber: string): readonly Tool[] {
  return [
    {
      name: 'take_message',
      description: 'Keeps a message, with the number to call back.',
      parameters: z.toJSONSchema(message),
      effect: 'write',
      timeoutMs: 2_000,
      async run(args) {
        const { message: text, person, number } = message.parse(args)
        emit({ name: 'messageTaken', private: { text, callback: number ?? callerNumber, ...(person && { person }) } })
        return { ok: true, value: 'kept' }
      },
    },
    {
      name: 'request_appointment',
      description: 'Keeps a wish for an appointment. Somebody has to confirm it.',
      parameters: z.toJSONSchema(appointment),
      effect: 'write',
      timeoutMs: 2_000,
      async run(args) {
        const { service, date, time } = appointment.parse(args)
        emit({
          name: 'appointmentRequested',
          private: { date, time, callback: callerNumber, ...(service && { service }) },
        })
        return { ok: true, value: 'kept' }
      },
    },
  ]
}
