import { runBounded } from './bounded-process.ts'
import { inputOf } from './demuxers.ts'
import { ToolFailedError } from './errors.ts'
import { environmentOf, type Input } from './input.ts'
import type { Probe } from './probe.ts'

const words = (text: string): string[] => text.split(' ')
const quiet = '-v error -nostdin -hide_banner -threads 1 -filter_threads 1'
const bare = '-map_metadata -1 -map_chapters -1'
/** Enough for the films of today: a picture of 8K and what it is decoded from. */
const memory = 3 * 2 ** 30
const mostPixels = '-max_pixels 67108864'

/** 30 s of MP3 at 128 kbit/s: 480 kB. */
const previewSeconds = 30
const previewBounds = { ms: 60_000, memory, output: 1_000_000 }

/**
 * One picture of a film as PNG, from a tenth of its way, past titles and black.
 * @throws ToolMissingError, ToolFailedError
 */
export async function stillOf(ffmpeg: string, input: Input, probe: Probe, signal?: AbortSignal): Promise<Buffer> {
  const at = (probe.durationMs ?? 0) / 10_000
  try {
    return await still(ffmpeg, input, at, signal)
  } catch (error) {
    // A length that is not what the file says.
    if (!(error instanceof ToolFailedError) || at === 0) throw error
    return await still(ffmpeg, input, 0, signal)
  }
}

async function still(ffmpeg: string, input: Input, at: number, signal?: AbortSignal): Promise<Buffer> {
  const bytes = await runBounded({
    program: ffmpeg,
    args: [
      ...words(`${quiet} -noaccurate_seek -ss ${at.toFixed(3)} ${mostPixels}`),
      ...inputOf(input),
      ...words('-map 0:V:0 -frames:v 1 -vf scale=960:960:force_original_aspect_ratio=decrease'),
      ...words(`${bare} -c:v png -f image2pipe pipe:1`),
    ],
    bounds: { ms: 30_000, memory, output: 8 * 2 ** 20 },
    environment: environmentOf(input),
    ...(signal && { signal }),
  })
  if (bytes.length === 0) throw new ToolFailedError(ffmpeg, `no picture at ${at} s`)
  return bytes
}

/** The picture that a recording embeds, as it is there. @throws ToolMissingError, ToolFailedError */
export async function artworkOf(ffmpeg: string, input: Input, stream: number, signal?: AbortSignal): Promise<Buffer> {
  return await runBounded({
    program: ffmpeg,
    args: [
      ...words(quiet),
      ...inputOf(input),
      ...words(`-map 0:${stream} -frames:v 1 ${bare} -c:v copy -f image2pipe pipe:1`),
    ],
    bounds: { ms: 20_000, memory, output: 16 * 2 ** 20 },
    environment: environmentOf(input),
    ...(signal && { signal }),
  })
}

/**
 * 30 seconds of a sound as MP3, at most 1 MB: from a quarter of its way when it is longer than two minutes, else from
 * its beginning. @throws ToolMissingError, ToolFailedError
 */
export async function audioPreviewOf(
  ffmpeg: string,
  input: Input,
  probe: Probe,
  signal?: AbortSignal,
): Promise<Buffer> {
  const { durationMs = 0 } = probe
  const at = durationMs > 120_000 ? durationMs / 4000 : 0
  const bytes = await runBounded({
    program: ffmpeg,
    args: [
      ...words(`${quiet} -ss ${at.toFixed(3)} -t ${previewSeconds}`),
      ...inputOf(input),
      ...words(`-map 0:a:0 ${bare} -ac 2 -ar 44100 -c:a libmp3lame -b:a 128k`),
      ...words('-write_xing 0 -id3v2_version 0 -f mp3 pipe:1'),
    ],
    bounds: previewBounds,
    environment: environmentOf(input),
    ...(signal && { signal }),
  })
  if (bytes.length === 0) throw new ToolFailedError(ffmpeg, 'no sound')
  return bytes
}
