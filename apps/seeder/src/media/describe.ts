import type { MediaDetails, Preview } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Item } from '../library/index.ts'
import { detailsOf, filmOf, type Probed, soundsOf } from './details.ts'
import { ToolFailedError, ToolMissingError } from './errors.ts'
import type { Input } from './input.ts'
import { artworkOf, audioPreviewOf, stillOf } from './excerpts.ts'
import { shrink, type SmallPicture } from './pictures.ts'
import { planOf } from './plan.ts'
import { probe } from './probe.ts'
import type { Tools } from './tools.ts'

/** A preview before it is an item. */
export interface MadePreview {
  kind: Preview['kind']
  bytes: Buffer
  /** How its name ends. */
  extension: 'webp' | 'mp3'
}

export interface Description {
  media: MediaDetails
  previews: MadePreview[]
}

export interface Studio {
  tools: Pick<Tools, 'ffprobe' | 'ffmpeg' | 'sharp'>
  /** Whether previews are made. */
  previews: boolean
  /** Gives a tool a file of the item for as long as `work` takes. */
  use<T>(path: string, work: (input: Input) => Promise<T>): Promise<T>
  log: Pick<Logger, 'info'>
  signal: AbortSignal
}

const thumbnail = { edge: 480, bytes: 50_000 }
const cover = { edge: 600, bytes: 50_000 }

/** What can be said and shown of an item with the tools there are. A file that a tool cannot read says nothing. */
export async function describe(item: Pick<Item, 'infoHash' | 'files' | 'about'>, studio: Studio): Promise<Description> {
  const { tools, signal } = studio
  const { ffprobe, ffmpeg } = tools
  const attempt = attempts(item.infoHash, studio)
  const plan = planOf(item)
  const probed: Probed[] = []
  if (ffprobe !== undefined) {
    for (const file of plan.recordings) {
      const found = await attempt(() => studio.use(file.path, (input) => probe(ffprobe, input, signal)))
      if (found !== undefined) probed.push({ file, probe: found })
    }
  }
  const film = filmOf(probed)
  const sounds = soundsOf(probed, item.about.media?.tracks)
  const [sound] = sounds
  const small = async (source: Input | Uint8Array, wanted: typeof cover) =>
    tools.sharp ? await attempt(() => shrink(source, wanted, signal)) : undefined

  let picture: SmallPicture | undefined
  const previews: MadePreview[] = []
  const isSound = film === undefined && sound !== undefined
  if (plan.picture !== undefined && film === undefined && (studio.previews || plan.alone)) {
    picture = await studio.use(plan.picture.path, (input) => small(input, isSound ? cover : thumbnail))
  }
  let shown = picture?.bytes
  if (studio.previews && ffmpeg !== undefined && film !== undefined) {
    const frame = await attempt(() => studio.use(film.file.path, (input) => stillOf(ffmpeg, input, film.probe, signal)))
    shown = frame && (await small(frame, thumbnail))?.bytes
  } else if (studio.previews && ffmpeg !== undefined && isSound) {
    const [framed] = sounds.filter(({ probe: { artwork } }) => artwork !== undefined)
    if (shown === undefined && framed?.probe.artwork !== undefined) {
      const { artwork } = framed.probe
      const art = await attempt(() =>
        studio.use(framed.file.path, (input) => artworkOf(ffmpeg, input, artwork, signal)),
      )
      shown = art && (await small(art, cover))?.bytes
    }
    const excerpt = await attempt(() =>
      studio.use(sound.file.path, (input) => audioPreviewOf(ffmpeg, input, sound.probe, signal)),
    )
    if (excerpt !== undefined) previews.push({ kind: 'audio', bytes: excerpt, extension: 'mp3' })
  }
  if (studio.previews && shown !== undefined) {
    previews.unshift({ kind: isSound ? 'cover' : 'thumbnail', bytes: shown, extension: 'webp' })
  }
  return { media: detailsOf({ plan, probed, picture }, item.about.media), previews }
}

/** Runs a tool; that it fails at a file is no failure of the item. */
function attempts(infoHash: string, { log, signal }: Studio) {
  return async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof ToolFailedError || error instanceof ToolMissingError)) throw error
      log.info({ err: error, infoHash }, 'a file could not be described')
      return undefined
    }
  }
}
