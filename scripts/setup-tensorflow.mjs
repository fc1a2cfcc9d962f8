// `npm run setup:tensorflow [-- --gpu] [--from PATH] [--to FOLDER] [--force]`: makes TensorFlow usable by the engine `tensorflow`.
// The binding of @tensorflow/tfjs-node-gpu is compiled against a current TensorFlow, which comes from the Python wheel: the
// libtensorflow that the package itself would fetch is too old for current graphics cards. docs/gpu.md has the story.
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { SetupError } from './setup/run-command.mjs'
import { buildBinding } from './setup/tensorflow/build-binding.mjs'
import { placeLibrary } from './setup/tensorflow/place-library.mjs'
import { isSetUp, replaceFolder, stampOf, temporaryFolder, writeStamp } from './setup/tensorflow/target-folder.mjs'
import { verifyBinding } from './setup/tensorflow/verify-binding.mjs'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const PACKAGE = join(ROOT, 'node_modules', '@tensorflow', 'tfjs-node-gpu')
const USAGE = `npm run setup:tensorflow [-- OPTIONS]
  --gpu          the TensorFlow for NVIDIA graphics cards with CUDA 12 (wheel \`tensorflow\`), not the one for processors only
  --from PATH    a wheel, a folder (an installed or unpacked tensorflow, or lib/ and include/), or a libtensorflow .tar.gz; offline
  --to FOLDER    where to (NOGRAD_TENSORFLOW then has to name it); by default .tensorflow in the folder of nograd
  --force        again, though it is done`

/** @param {string[]} args */
async function setUpTensorflow(args) {
  const { values } = parseArgs({
    args,
    options: {
      gpu: { type: 'boolean', default: false },
      from: { type: 'string' },
      to: { type: 'string' },
      force: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(USAGE)
    return
  }
  if (process.platform !== 'linux' && process.platform !== 'darwin')
    throw new SetupError(`nothing is known of TensorFlow on ${process.platform}; Linux and macOS are supported`)
  if (!existsSync(join(PACKAGE, 'binding.gyp')))
    throw new SetupError(`${PACKAGE} is not installed; run \`npm run setup\` first`)
  const target = resolve(values.to ?? process.env.NOGRAD_TENSORFLOW ?? join(ROOT, '.tensorflow'))
  const stamp = stampOf(PACKAGE, { gpu: values.gpu, from: values.from === undefined ? null : resolve(values.from) })
  if (!values.force && isSetUp(target, stamp)) {
    say(`${target} is done already (--force does it again)`)
    say(await verifyBinding(target))
    return
  }
  const folder = temporaryFolder(target)
  try {
    await placeLibrary(folder, { gpu: values.gpu, from: values.from, say })
    say('compiling the binding of @tensorflow/tfjs-node-gpu …')
    await buildBinding(PACKAGE, folder)
    const found = await verifyBinding(folder)
    writeStamp(folder, stamp)
    replaceFolder(folder, target)
    say(found)
    say(`done: ${target}`)
  } finally {
    folder.remove()
  }
}

function say(text) {
  console.log(`setup:tensorflow: ${text}`)
}

await setUpTensorflow(process.argv.slice(2)).catch((error) => {
  const expected = error instanceof SetupError || String(error.code).startsWith('ERR_PARSE_ARGS')
  console.error(`setup:tensorflow failed: ${expected ? error.message : error.stack}`)
  if (String(error.code).startsWith('ERR_PARSE_ARGS')) console.error(USAGE)
  process.exitCode = 1
})
