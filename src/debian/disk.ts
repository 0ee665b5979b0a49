import { GatewayError } from '../errors.ts'

const remedies: Readonly<Record<string, string>> = {
  EACCES: 'it may not be written by this user; change its owner, or point STATE_DIR elsewhere',
  EPERM: 'it may not be written by this user; change its owner, or point STATE_DIR elsewhere',
  ENOENT: 'it cannot be created there; point STATE_DIR elsewhere',
  EROFS: 'it is on a file system mounted read-only; point STATE_DIR elsewhere',
  ENOSPC: 'its disk is full; free some space, or point STATE_DIR elsewhere',
  EDQUOT: "this user's quota there is used up; free some space, or point STATE_DIR elsewhere",
  EEXIST: 'a file stands where a folder is needed; remove it, or point STATE_DIR elsewhere',
  ENOTDIR: 'a file stands where a folder is needed; remove it, or point STATE_DIR elsewhere',
}

/** Does work on files; what a person can put right is told as such. */
export async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const remedy = remedies[codeOf(error)]
    if (!remedy) throw error
    throw new GatewayError('STATE_UNWRITABLE', `${path} cannot be used: ${remedy}.`, { cause: error })
  }
}

/** Programs that are run for us tell a full disk in their own words. */
function codeOf(error: unknown): string {
  if (/No space left on device/.test(String(error))) return 'ENOSPC'
  return (error as NodeJS.ErrnoException).code ?? ''
}
