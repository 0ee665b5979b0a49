import { z } from 'zod'
import { defineTool } from '../../agent/define-tool.ts'
import type { ToolsOf } from '../../agent/ports.ts'

const appointment = z.strictObject({ service: z.string().optional(), date: z.string(), time: z.string() })

/** What the built-in engine leaves for people, besides messages: facts of the call, which the journal keeps. */
export const localTools: ToolsOf = ({ emit, facts }) => [
  defineTool({
    name: 'request_appointment',
    description: 'Keeps a wish for an appointment. Somebody has to confirm it.',
    args: appointment,
    effect: 'write',
    timeoutMs: 2_000,
    async run({ service, date, time }) {
      const callback = facts.callerNumber
      emit({ name: 'appointmentRequested', private: { date, time, callback, ...(service && { service }) } })
      return { ok: true, value: 'kept' }
    },
  }),
]
