import { z } from 'zod'
import { runBounded } from './bounded-process.ts'
import { inputOf } from './demuxers.ts'
import { ToolFailedError } from './errors.ts'
import { environmentOf, type Input } from './input.ts'

/** What ffprobe finds in a media file. */
export interface Probe {
  title?: string
  artist?: string
  album?: string
  /** Its place on the album, from 1. */
  track?: number
  disc?: number
  durationMs?: number
  /** Of the first moving picture, as it is shown. */
  width?: number
  height?: number
  /** Names of ffmpeg, each once. */
  codecs: string[]
  hasAudio: boolean
  hasVideo: boolean
  /** Number of the stream that is an embedded picture. */
  artwork?: number
}

const bounds = { ms: 20_000, memory: 2 ** 31, output: 2 ** 20 }

const entries = [
  'format=duration',
  'format_tags',
  'stream=index,codec_type,codec_name,width,height,duration',
  'stream_tags',
  'stream_disposition=attached_pic',
  'stream_side_data=rotation',
].join(':')

/** Foreign, and as odd as their authors are: what is not of its type counts as absent. */
const number = z.coerce.number().optional().catch(undefined)
const tagsSchema = z.record(z.string(), z.string()).catch({})
const streamSchema = z.object({
  index: z.int().nonnegative(),
  codec_type: z.string().catch(''),
  codec_name: z.string().catch(''),
  width: number,
  height: number,
  duration: number,
  tags: tagsSchema.optional(),
  disposition: z.object({ attached_pic: number }).optional().catch(undefined),
  side_data_list: z
    .array(z.object({ rotation: number }))
    .optional()
    .catch(undefined),
})
type Stream = z.output<typeof streamSchema>
const answerSchema = z.object({
  streams: z.array(z.unknown()).catch([]),
  format: z.object({ duration: number, tags: tagsSchema.optional() }).catch({ duration: undefined }),
})

/** @throws ToolMissingError, ToolFailedError */
export async function probe(ffprobe: string, input: Input, signal?: AbortSignal): Promise<Probe> {
  const args = ['-v', 'error', '-of', 'json', '-show_entries', entries, ...inputOf(input)]
  const environment = environmentOf(input)
  const command = { program: ffprobe, args, bounds, environment, ...(signal && { signal }) }
  const text = (await runBounded(command)).toString()
  return readProbe(text, ffprobe)
}

/** @throws ToolFailedError for what is not JSON of that kind */
export function readProbe(text: string, program = 'ffprobe'): Probe {
  const { streams: foreign, format } = parse(text, program)
  const streams = foreign.slice(0, 64).flatMap((stream) => streamSchema.safeParse(stream).data ?? [])
  const isPicture = ({ disposition }: Stream) => disposition?.attached_pic === 1
  const artwork = streams.find((stream) => stream.codec_type === 'video' && isPicture(stream))
  const video = streams.find((stream) => stream.codec_type === 'video' && !isPicture(stream))
  const audio = streams.find((stream) => stream.codec_type === 'audio')
  const tags = lowerCased({ ...audio?.tags, ...format.tags })
  const [title, artist, album] = [short(tags['title']), short(tags['artist']), short(tags['album'])]
  const [track, disc] = [ordinal(tags['track']), ordinal(tags['disc'])]
  const durationMs = millisecondsOf(format.duration ?? video?.duration ?? audio?.duration)
  return {
    ...(title !== undefined && { title }),
    ...(artist !== undefined && { artist }),
    ...(album !== undefined && { album }),
    ...(track !== undefined && { track }),
    ...(disc !== undefined && { disc }),
    ...(durationMs !== undefined && { durationMs }),
    ...shown(video),
    codecs: [...new Set([video, audio].flatMap((stream) => stream?.codec_name.slice(0, 32) ?? []))].filter(Boolean),
    hasAudio: audio !== undefined,
    hasVideo: video !== undefined,
    ...(artwork && { artwork: artwork.index }),
  }
}

function parse(text: string, program: string) {
  try {
    return answerSchema.parse(JSON.parse(text))
  } catch (error) {
    throw new ToolFailedError(program, 'its answer cannot be read', { cause: error })
  }
}

/** A quarter turn exchanges the sides. */
function shown(video: Stream | undefined): Pick<Probe, 'width' | 'height'> {
  const [width, height] = [pixels(video?.width), pixels(video?.height)]
  if (width === undefined || height === undefined) return {}
  const rotation = video?.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? 0
  return Math.abs(rotation) % 180 === 90 ? { width: height, height: width } : { width, height }
}

function pixels(value: number | undefined): number | undefined {
  return value !== undefined && Number.isInteger(value) && value >= 1 && value <= 1_000_000 ? value : undefined
}

function millisecondsOf(seconds: number | undefined): number | undefined {
  if (seconds === undefined || seconds < 0 || seconds > 31_536_000) return undefined
  return Math.round(seconds * 1000)
}

/** `3`, or `3/12`. */
function ordinal(text: string | undefined): number | undefined {
  const value = Number.parseInt(text ?? '', 10)
  return value >= 1 && value <= 10_000 ? value : undefined
}

/** As much of a tag as a manifest may hold. */
function short(text: string | undefined): string | undefined {
  const clean = text
    ?.toWellFormed()
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
  return clean === undefined || clean === '' ? undefined : clean.slice(0, 200).toWellFormed().trim()
}

function lowerCased(tags: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [key.toLowerCase(), value]))
}
