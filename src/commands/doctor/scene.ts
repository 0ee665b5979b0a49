import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../config.ts'
import type { Environment } from '../../environment.ts'
import { holderOfStateDir } from '../../state-dir.ts'
import type { Holder } from '../../telephony/asterisk/holders.ts'
import { findInstance } from '../../telephony/asterisk/instance.ts'

/** What every check may look at. */
export interface Scene {
  /** Where `.env` stands. */
  readonly directory: string
  readonly environment: Environment
  readonly config: Config
  readonly ours: Ours
}

/** What runs on this STATE_DIR already: its ports are taken by right. */
export interface Ours {
  /** Undefined when no gateway runs; its process only when this user may see it. */
  readonly gateway: { readonly holder: Holder | undefined } | undefined
  readonly asteriskPid: number | undefined
}

/** When it cannot be told. */
export const nobodysOurs: Ours = { gateway: undefined, asteriskPid: undefined }

export async function lookAtOurs({ stateDir }: Config): Promise<Ours> {
  await mayLookInto(stateDir)
  const asterisk = await findInstance(join(stateDir, 'pbx'))
  return { gateway: holderOfStateDir(stateDir), asteriskPid: asterisk?.pid }
}

/** Who may not could take a gateway that runs for one that does not. */
async function mayLookInto(stateDir: string): Promise<void> {
  try {
    await access(stateDir, constants.R_OK | constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return
    throw new Error(
      `STATE_DIR ${stateDir} cannot be read by this user (${code}): whether Parley runs on it is not known.`,
    )
  }
}
