import { existsSync, statfsSync, statSync } from 'node:fs'
import { limits } from '../../limits.ts'
import { bestCodec, type OpusCodec } from '../../recording/opus.ts'
import { soundFolders } from '../../recording/sound-files.ts'
import { isWritable, nearestThere } from './disk.ts'
import { type Finding, findingsOf } from './finding.ts'
import type { Scene } from './scene.ts'

const { ok, hint, warning, error } = findingsOf('recordings')

interface Room {
  readonly what: 'recordings' | 'voicemail'
  readonly folder: string
  /** One that is not there yet is made. */
  readonly writable: boolean
  readonly freeBytes: number
  /** Tells one disk from another: either folder may have been put on its own. */
  readonly disk: number
}

interface Recordings {
  readonly rooms: readonly Room[]
  readonly encoder: OpusCodec
}

export function lookAtRecordings({ config: { stateDir } }: Scene): Recordings {
  const { recordings, voicemail } = soundFolders(stateDir)
  return { rooms: [roomOf('recordings', recordings), roomOf('voicemail', voicemail)], encoder: bestCodec() }
}

function roomOf(what: Room['what'], folder: string): Room {
  const there = nearestThere(folder)
  const { bavail, bsize } = statfsSync(there)
  const writable = !existsSync(folder) || isWritable(folder)
  return { what, folder, writable, freeBytes: bavail * bsize, disk: statSync(there).dev }
}

export function judgeRecordings({ rooms, encoder }: Recordings): Finding[] {
  const barred = rooms.filter(({ writable }) => !writable).map(judgeBarred)
  const disks = Map.groupBy(rooms, ({ disk }) => disk)
  return [...barred, ...[...disks.values()].flatMap(judgeRoom), judgeEncoder(encoder)]
}

const lost = { recordings: 'no call is recorded', voicemail: 'no message is taken' } as const

function judgeBarred({ what, folder }: Room): Finding {
  return error(
    `${folder} is no folder that this user can write to: ${lost[what]}.`,
    'Change its owner, or what stands there.',
  )
}

/** Of one disk. */
function judgeRoom(rooms: readonly Room[]): Finding[] {
  const { least, low } = limits.recording.diskBytes
  const freeBytes = Math.min(...rooms.map(room => room.freeBytes))
  const free = `${sizeOf(freeBytes)} are free for ${rooms.map(({ what }) => what).join(' and ')}`
  const none = rooms.map(({ what }) => lost[what]).join(' and ')
  const remedy =
    'Free some space, have what is old deleted sooner (recording.days, voicemail.days), or point STATE_DIR to another disk.'
  if (freeBytes < least) {
    const words = `Only ${free}: calls go on, but ${none} until there are ${sizeOf(least)}.`
    return [error(words, remedy)]
  }
  if (freeBytes < low) return [warning(`Only ${free}: ${none} any more below ${sizeOf(least)}.`, remedy)]
  return [ok(`${free}.`)]
}

function judgeEncoder(encoder: OpusCodec): Finding {
  if (encoder === 'compiled') return ok('What was recorded is made smaller by libopus, compiled for this machine.')
  return hint(
    'What was recorded is made smaller by libopus in WebAssembly, which takes three times as long as a compiled one.',
    'Nothing need be done. Where there are make, a C++ compiler and Python it is compiled by: npm run opus',
  )
}

function sizeOf(bytes: number): string {
  return bytes < 1e9 ? `${Math.floor(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}
