import { linkSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect } from 'vitest'
import type { CallEvent } from '../../../src/call/events.ts'
import { decode } from '../../../src/media/g711.ts'
import { readAuHeader } from '../../../src/recording/au.ts'
import { opusTools } from '../../support/opus-tools.ts'
import type { House } from './house.ts'

/** What was heard longer ago than this is on the disk: 200 ms are on the way to it, and 240 ms are waited for. */
export const keptAfterMs = 500

type Began = Extract<CallEvent['fact'], { name: 'recordingBegan' }>

/** The recording of the call, under a name that outlives its conversion, which begins as soon as the call is over. */
export async function heldRecording(house: House, call: string): Promise<string> {
  const began = (await house.events()).find(each => each.call === call && each.fact.name === 'recordingBegan')
  const name = `${(began!.fact as Began).recording}.au`
  const path = join(house.stateDir, name)
  linkSync(join(house.stateDir, 'state/recordings', name), path)
  return path
}

/** What is on the disk of the agent's side. */
export function agentIn(path: string): Int16Array {
  const file = readFileSync(path)
  const { law, dataAt } = readAuHeader(file)!
  const bytes = file.subarray(dataAt).filter((_, index) => index % 2 === 1)
  const agent = new Int16Array(bytes.length)
  decode(law, bytes, agent)
  return agent
}

interface Recordings {
  readonly recordings: readonly { readonly convertedAt: string | null }[]
}

/** The one recording of the call is listed, was made small once, and is played so: as long as what was written. */
export async function isListed(house: House, path: string, told: { call: string; endedWhy: string }): Promise<void> {
  const id = basename(path, '.au')
  const list = async () => (await house.get<Recordings>(`/v1/recordings?call=${told.call}`)).body.recordings
  await house.until(async () => typeof (await list())[0]?.convertedAt === 'string')
  const samples = agentIn(path).length
  expect(await list()).toMatchObject([{ ...told, id, seconds: Math.ceil(samples / 8_000) }])
  const { status, bytes } = await house.sound(`/v1/recordings/${id}/audio`)
  expect(status).toBe(200)
  const played = `${path}.opus`
  writeFileSync(played, bytes)
  const said = await (await opusTools()).info(played)
  const [, minutes, seconds] = /Playback length: (\d+)m:([\d.]+)s/.exec(said)!
  expect(Number(minutes) * 60 + Number(seconds)).toBeCloseTo(samples / 8_000, 2)
  const { jobs } = (await house.get<{ jobs: { key: string }[] }>('/v1/jobs?kind=convert')).body
  expect(jobs.filter(({ key }) => key === id)).toMatchObject([{ attempts: 1 }])
  const made = (await house.events()).filter(({ fact }) => fact.name === 'recordingConverted' && fact.recording === id)
  expect(made).toHaveLength(1)
}
