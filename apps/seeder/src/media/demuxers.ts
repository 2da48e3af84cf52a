import type { Input } from './input.ts'

/**
 * The containers that are looked into. Threat: playlists (HLS, DASH, concat, SDP) name other files and addresses, and
 * ffmpeg would open them; a file is what its bytes say, whatever its name or declared type. What a container embeds is
 * held to the same list.
 */
const demuxers = [
  'aac',
  'ac3',
  'aiff',
  'amr',
  'ape',
  'asf',
  'avi',
  'caf',
  'flac',
  'flv',
  'matroska',
  'mov',
  'mp3',
  'mpeg',
  'mpegts',
  'ogg',
  'w64',
  'wav',
  'wv',
]

const limits = '-max_alloc 536870912 -probesize 10000000 -analyzeduration 10000000'

/** How ffmpeg and ffprobe are given a file: by its path, and nothing but files; or by its address, and nothing but HTTP. */
export function inputOf(input: Input): string[] {
  const [protocols, url] = typeof input === 'string' ? ['file', `file:${input}`] : ['http,tcp', input.url]
  const open = `-protocol_whitelist ${protocols} -format_whitelist ${demuxers.join(',')} ${limits} -i`
  return [...open.split(' '), url]
}
