/**
 * Makes src/providers/local/telephone.mllr: how the sounds of Debian's US-English model move when they are heard over a
 * telephone and widened again (one linear transform for each of its three streams, Leggetter and Woodland 1995). Learned
 * from the sentences of test/corpus that are there to tune with, never from those that are measured. Run it after a change
 * of src/providers/local/widen.ts: `node scripts/adapt-model.ts`. Fetches Debian's sphinxtrain; takes two minutes.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { systemClock } from '../src/clock.ts'
import { runCommand } from '../src/debian/command.ts'
import { commandIn } from '../src/debian/machine.ts'
import { fetchTree } from '../src/debian/tree.ts'
import { StretchEar } from '../src/providers/local/ear.ts'
import { widened } from '../src/providers/local/widen.ts'
import { throughPhone } from '../test/corpus/line.ts'
import { readCorpus } from '../test/corpus/sentences.ts'
import { callerVoices, openCallers, speechCache, testSpeechPrograms } from '../test/corpus/voices.ts'

const target = new URL('../src/providers/local/telephone.mllr', import.meta.url)
const features = ['-lowerf', '130', '-upperf', '6800', '-nfilt', '25', '-transform', 'dct', '-lifter', '22']
const streams = ['-feat', '1s_c_d_dd', '-svspec', '0-12/13-25/26-38', '-cmn', 'batch', '-agc', 'none']

const folder = mkdtempSync(join(tmpdir(), 'parley-adapt-'))
const at = (name: string) => join(folder, name)
const { recognizer, model } = await testSpeechPrograms()
const hmm = (name: string) => join(model, 'en-us', name)
const { root, architecture } = await fetchTree(
  {
    name: 'sphinxtrain',
    wanted: ['sphinxtrain'],
    leftOut: [/^(perl|libperl|python|libpython|media-types|tzdata|debconf)/],
    megabytes: 10,
    remedy: 'Only this script needs it.',
    code: 'PROGRAM_MISSING',
    finish: async () => {},
    versionOf: async () => '5',
    isRecentEnough: () => true,
  },
  { cacheDirectory: speechCache, environment: process.env, clock: systemClock, progress: console.error },
)

async function run(command: readonly string[], ...args: string[]): Promise<void> {
  const result = await runCommand([...command, ...args], { clock: systemClock, timeoutMs: 600_000 })
  if (result.code !== 0) throw new Error(`${command.at(-1)} failed: ${result.stderr.slice(-500)}`)
}
const train = (name: string) => commandIn(root, `usr/libexec/sphinxtrain/${name}`, architecture)

await recordSentences()
writeFileSync(at('mixture_weights'), mixtureWeights(readFileSync(hmm('sendump'))))
const convert = [...recognizer.slice(0, -1), recognizer.at(-1)!.replace(/_batch$/, '_mdef_convert')]
await run(convert, '-text', hmm('mdef'), at('mdef'))
for (const each of ['features', 'counts']) mkdirSync(at(each))
const files = ['-di', folder, '-ei', 'raw', '-do', at('features'), '-eo', 'mfc', '-raw', 'yes']
await run(train('sphinx_fe'), ...features, '-remove_noise', 'yes', '-samprate', '16000', '-c', at('names'), ...files)
const parameters = ['-meanfn', hmm('means'), '-varfn', hmm('variances')]
const more = ['-mixwfn', at('mixture_weights'), '-tmatfn', hmm('transition_matrices'), '-moddeffn', at('mdef')]
const words = ['-dictfn', join(model, 'cmudict-en-us.dict'), '-fdictfn', hmm('noisedict'), '-lsnfn', at('words')]
const speech = ['-ctlfn', at('names'), '-cepdir', at('features'), '-accumdir', at('counts'), '-ts2cbfn', '.ptm.']
await run(train('bw'), ...streams, ...parameters, ...more, ...words, ...speech)
await run(train('mllr_solve'), ...parameters, '-outmllrfn', at('mllr'), '-accumdir', at('counts'))
copyFileSync(at('mllr'), target)
rmSync(folder, { recursive: true })

/** Every tuning sentence in every caller's voice, as the recognizer gets it. */
async function recordSentences(): Promise<void> {
  const callers = await openCallers()
  const { tuning, outsideTuning } = readCorpus()
  const dictionary = readFileSync(join(model, 'cmudict-en-us.dict'), 'utf8')
  const known = new Set(dictionary.split('\n').map(line => line.slice(0, line.indexOf(' '))))
  const texts = [...tuning.map(({ text }) => text), ...outsideTuning]
  const names: string[] = []
  const spoken: string[] = []
  for (const [number, text] of texts.entries()) {
    if (!text.split(' ').every(word => known.has(word))) continue
    for (const [voiceAt, voice] of callerVoices.entries()) {
      const name = `${number}-${voiceAt}`
      const stretch = await heardBy(throughPhone(await callers.speak(text, voice), 4 * number + voiceAt))
      if (!stretch) continue
      writeFileSync(at(`${name}.raw`), new Uint8Array(widened(stretch).buffer))
      names.push(name)
      spoken.push(`<s> ${text} </s> (${name})`)
    }
  }
  writeFileSync(at('names'), `${names.join('\n')}\n`)
  writeFileSync(at('words'), `${spoken.join('\n')}\n`)
}

/** What the ear cuts out of it; nothing when it cuts it in pieces. */
async function heardBy(samples: Int16Array): Promise<Int16Array | undefined> {
  const stretches: Int16Array[] = []
  const decode = async (speech: Int16Array) => void stretches.push(speech)
  const ear = new StretchEar(decode, new AbortController().signal)
  for (let from = 0; from < samples.length; from += 160)
    ear.write(samples.subarray(from, from + 160), from / 8, 'heard')
  ear.finish()
  await setImmediate()
  return stretches.length === 1 ? stretches[0] : undefined
}

/** The model keeps its weights as bytes, a stream and a density at a time: q stands for 1.0001 to the -1024 q. */
function mixtureWeights(dump: Buffer): Uint8Array {
  const [senones, streamCount, densities] = [5_126, 3, 128]
  const count = senones * streamCount * densities
  const quantized = dump.subarray(dump.length - count)
  const weights = new Float32Array(count)
  for (let row = 0; row < streamCount * densities; row++) {
    for (let senone = 0; senone < senones; senone++) {
      const q = quantized[row * senones + senone]!
      weights[senone * streamCount * densities + row] = 1_000 * 1.000_1 ** (-1_024 * q)
    }
  }
  const head = Buffer.from('s3\nversion 1.0\nendhdr\n')
  const sizes = new Int32Array([0x11223344, senones, streamCount, densities, count])
  return Buffer.concat([head, new Uint8Array(sizes.buffer), new Uint8Array(weights.buffer)])
}
