import type { Conversant, ConversantEvent, ConversantSession, ToolResult } from '../../src/agent/ports.ts'
import { Queue } from '../../src/agent/queue.ts'
import { Sounds } from '../../src/providers/scripted/sounds.ts'

export const sounds = new Sounds({ encoding: 'ulaw', rate: 8_000 })

/** A conversant that does what a test tells it to, and remembers what it was told. */
export class Puppet implements Conversant {
  readonly events = new Queue<ConversantEvent>()
  readonly log: string[] = []
  readonly results: { id: string; result: ToolResult; reply: boolean }[] = []
  session: ConversantSession | undefined

  async open(session: ConversantSession) {
    this.session = session
    return {
      hear: { format: session.format, write: () => {} },
      events: this.events,
      respond: () => this.log.push('respond'),
      say: (text: string) => this.log.push(`say ${text}`),
      told: (text: string) => this.log.push(`told ${text}`),
      instruct: (text: string, reply: boolean) => this.log.push(`${reply ? 'instruct' : 'note'} ${text}`),
      toolResult: (id: string, result: ToolResult, reply: boolean) => this.results.push({ id, result, reply }),
      cancel: () => this.log.push('cancel'),
      heard: (item: string, ms: number) => this.log.push(`heard ${item} ${ms}`),
    }
  }

  /** A reply of one item, whole. */
  gives(item: string, text: string): void {
    this.events.push({ kind: 'replying' })
    this.events.push({ kind: 'audio', item, audio: sounds.render(text), text })
    this.events.push({ kind: 'audioEnded', item })
    this.events.push({ kind: 'turnEnded' })
  }
}
