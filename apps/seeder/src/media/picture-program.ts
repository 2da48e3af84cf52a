import { readFileSync } from 'node:fs'
import sharp, { type Sharp } from 'sharp'
import { z } from 'zod'

/**
 * Makes one small picture of a large one, in a process of its own: decoders are written in C, and a picture of a few
 * kilobytes may fill gigabytes.
 *
 * Arguments: the path of the picture, or `-` for standard input, and as JSON the longest edge of the result in pixels,
 * and the most bytes of it. Answers one line of JSON with what it found, and the result after it.
 */
const wantedSchema = z.object({ edge: z.int().min(1), bytes: z.int().min(1) })

/** Decoders that need no helper and follow no reference; what else libvips reads (SVG, PDF, ...) is blocked. */
const readable = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif']
const mostPixels = 100_000_000
const seconds = 15
const qualities = [80, 65, 50, 35, 20]

sharp.cache(false)
sharp.concurrency(1)
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}`),
})

const [, , path = '', wanted = ''] = process.argv
const { edge, bytes } = wantedSchema.parse(JSON.parse(wanted))
const source = path === '-' ? readFileSync(0) : path
const open = (): Sharp => sharp(source, { limitInputPixels: mostPixels, failOn: 'error', pages: 1, page: 0 })

const { format, autoOrient } = await open().metadata()
if (!readable.includes(format)) throw new Error(`pictures of the format ${format} are not read`)

let side = edge
let result = await shrink(side, qualities[0] ?? 80)
for (let step = 1; result.length > bytes; step++) {
  if (step % qualities.length === 0) side = Math.floor(side * 0.7)
  if (side < 32) throw new Error(`no picture of at most ${bytes} bytes can be made of it`)
  result = await shrink(side, qualities[step % qualities.length] ?? 80)
}
const { width, height } = autoOrient
process.stdout.write(`${JSON.stringify({ width, height, format })}\n`)
process.stdout.write(result)

/** Upright, in sRGB, without what cameras write into pictures: places and serial numbers. */
async function shrink(longest: number, quality: number): Promise<Buffer> {
  return await open()
    .timeout({ seconds })
    .autoOrient()
    .resize({ width: longest, height: longest, fit: 'inside', withoutEnlargement: true })
    .webp({ quality, effort: 4 })
    .toBuffer()
}
