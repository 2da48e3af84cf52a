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

/** How ffmpeg and ffprobe are given a file: by its path alone, and nothing but files. */
export function inputOf(path: string): string[] {
  const open = `-protocol_whitelist file -format_whitelist ${demuxers.join(',')} ${limits} -i`
  return [...open.split(' '), `file:${path}`]
}
