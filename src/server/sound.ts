import type { FastifyReply, FastifyRequest } from 'fastify'
import { limits } from '../limits.ts'
import { partOf } from '../recording/range.ts'
import { openSound } from '../recording/sound-files.ts'
import { Refusal } from './problem.ts'

/** A sound as a player asks for it: by parts, and by whoever is told it alone. One that is still written ends where it is now. */
export async function sendSound(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  folder: string,
  name: string,
): Promise<FastifyReply> {
  const sound = await openSound(folder, name)
  if (!sound) throw new Refusal(404, 'The sound is not on the disk of this gateway.')
  try {
    const { size, mtimeMs } = await sound.file.stat()
    const etag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`
    const asked = { range: headers.range, ifRange: singleOf(headers['if-range']) }
    const part = partOf({ bytes: size, etag }, asked, limits.recording.rangeBytes)
    reply.headers({ 'accept-ranges': 'bytes', etag })
    if (part.kind === 'none') {
      reply.header('content-range', `bytes */${size}`)
      throw new Refusal(416, `There is nothing in that range: the sound has ${size} bytes.`)
    }
    const { first, last } = part.kind === 'part' ? part : { first: 0, last: size - 1 }
    if (part.kind === 'part') reply.code(206).header('content-range', `bytes ${first}-${last}/${size}`)
    reply.type(sound.type).header('content-length', last - first + 1)
    // Of no byte there is no range to be read.
    if (size === 0) {
      await sound.file.close()
      return reply.send(Buffer.alloc(0))
    }
    return reply.send(sound.file.createReadStream({ start: first, end: last }))
  } catch (error) {
    await sound.file.close().catch(() => {})
    throw error
  }
}

function singleOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0]
}
