import type { ItemFile, MediaDetails } from '@eldernode/core'
import type { Plan } from './plan.ts'
import type { Probe } from './probe.ts'

/** A recording and what was found in it. */
export interface Probed {
  file: ItemFile
  probe: Probe
}

export interface Found {
  plan: Plan
  /** Of those recordings that could be read, in item order. */
  probed: readonly Probed[]
  /** The picture's size, when the item is a picture. */
  picture?: { width: number; height: number; format: string } | undefined
}

/** The film that stands for an item: the largest one. */
export function filmOf(probed: readonly Probed[]): Probed | undefined {
  return probed.filter(({ probe }) => probe.hasVideo).toSorted((a, b) => b.file.size - a.file.size)[0]
}

/** The sounds of an item in the order they are played: as their publisher says, else as their own numbers say. */
export function soundsOf(probed: readonly Probed[], given: MediaDetails['tracks']): Probed[] {
  const sounds = probed.filter(({ probe }) => probe.hasAudio && !probe.hasVideo)
  if (given !== undefined) return given.flatMap(({ path }) => sounds.find(({ file }) => file.path === path) ?? [])
  if (!sounds.every(({ probe }) => probe.track !== undefined)) return sounds
  return sounds.toSorted((a, b) => place(a) - place(b))
}

const place = ({ probe }: Probed): number => (probe.disc ?? 1) * 100_000 + (probe.track ?? 0)

/** What a manifest says of an item's media. What its publisher said stays as it is, whatever the files say. */
export function detailsOf({ plan, probed, picture }: Found, given: MediaDetails = {}): MediaDetails {
  if (picture !== undefined && plan.alone) {
    const { width, height, format } = picture
    return { width, height, codecs: [format], ...given }
  }
  const film = filmOf(probed)
  if (film !== undefined) return { ...filmDetails(film), ...given }
  const sounds = soundsOf(probed, given.tracks)
  return {
    ...(sounds.length > 1 || given.tracks ? albumDetails(sounds, given) : songDetails(sounds[0])),
    ...given,
    ...tracksOf(sounds, given),
  }
}

function filmDetails({ probe: { title, artist, width, height, durationMs, codecs } }: Probed): MediaDetails {
  return known({ title, artist, width, height, durationMs, codecs: some(codecs) })
}

function songDetails(sound: Probed | undefined): MediaDetails {
  const { title, artist, durationMs, codecs = [] } = sound?.probe ?? {}
  return known({ title, artist, durationMs, codecs: some(codecs) })
}

function albumDetails(sounds: readonly Probed[], given: MediaDetails): MediaDetails {
  const lengths = sounds.flatMap(({ probe }) => probe.durationMs ?? [])
  const isWhole = lengths.length === (given.tracks?.length ?? sounds.length)
  return known({
    title: common(sounds.map(({ probe }) => probe.album)),
    artist: common(sounds.map(({ probe }) => probe.artist)),
    durationMs: isWhole ? lengths.reduce((sum, length) => sum + length, 0) : undefined,
    codecs: some([...new Set(sounds.flatMap(({ probe }) => probe.codecs))].slice(0, 8)),
  })
}

/** The tracks with what their files say where their publisher said nothing; a song by itself is no album. */
function tracksOf(sounds: readonly Probed[], { tracks }: MediaDetails): Pick<MediaDetails, 'tracks'> {
  if (tracks !== undefined) {
    const found = new Map(sounds.map(({ file, probe }) => [file.path, probe]))
    return { tracks: tracks.map((track) => ({ ...trackOf(track.path, found.get(track.path)), ...track })) }
  }
  return sounds.length > 1 ? { tracks: sounds.map(({ file, probe }) => trackOf(file.path, probe)) } : {}
}

function trackOf(path: string, probe: Probe | undefined) {
  return { path, ...known({ title: probe?.title, durationMs: probe?.durationMs }) }
}

/** The one value that all have. */
function common(values: readonly (string | undefined)[]): string | undefined {
  return new Set(values).size === 1 ? values[0] : undefined
}

function some(codecs: string[]): string[] | undefined {
  return codecs.length > 0 ? codecs : undefined
}

type Known<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function known<T extends object>(values: T): Known<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Known<T>
}
