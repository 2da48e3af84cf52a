import { infoHashSchema, InvalidInputError } from '@eldernode/core'
import { z } from 'zod'
import { mayDecrypt } from '../../access/index.ts'
import type { Api } from '../api.ts'
import type { Serve } from '../content/content.ts'
import { problems } from '../problem.ts'
import type { Remote } from '../content/served-file.ts'
import type { Services } from '../services.ts'

const media = /^(?:audio|video)\//
const base32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** `GET /torrent/<magnet or infohash>`: what DIGM clients fall back on when no peer answers. */
export async function torrentDoor(
  app: Api,
  {
    library,
    encryption,
    replication,
  }: {
    library: Pick<Services['library'], 'record' | 'get'>
    encryption: Pick<Services['encryption'], 'reveal'>
    replication: Remote
  },
  serve: Serve,
): Promise<void> {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/torrent/*',
    exposeHeadRoute: false,
    schema: {
      tags: ['doors'],
      summary: "The bytes of an item's first media file, by magnet or infohash, URL-encoded or not",
      params: z.object({ '*': z.string().max(4096) }),
      response: {
        200: { description: 'The bytes', content: { '*/*': { schema: z.any() } } },
        ...problems(400, 404, 410, 416, 503),
      },
    },
    handler: async (request, reply) => {
      // A magnet that is not encoded has a question mark, behind which the router sees no path.
      const infoHash = infoHashOf(request.raw.url?.slice('/torrent/'.length) ?? '')
      // What is not held here has the files that its publisher's manifest names.
      const known = library.record(infoHash) ?? (await replication.remote(infoHash))
      const item = library.get(infoHash)
      const plain = item !== undefined && mayDecrypt(request, item) ? await encryption.reveal(item) : undefined
      const files = plain?.files ?? known?.files ?? []
      const alone = plain === undefined && known !== undefined && 'alone' in known ? known.alone : files.length < 2
      const first = files.find(({ type }) => media.test(type)) ?? files[0]
      return await serve(request, reply, infoHash, alone ? undefined : first?.path)
    },
  })
}

/** @throws InvalidInputError */
function infoHashOf(text: string): string {
  const plain = decoded(text).toLowerCase()
  const [, hex] = /(?:^|urn:btih:)([0-9a-f]{40})(?![0-9a-z])/.exec(plain) ?? []
  const [, letters] = /urn:btih:([a-z2-7]{32})(?![0-9a-z])/.exec(plain) ?? []
  const found = infoHashSchema.safeParse(hex ?? (letters === undefined ? '' : hexOf(letters)))
  if (!found.success) throw new InvalidInputError('This is no infohash, and no magnet of BitTorrent v1.')
  return found.data
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Of base32 (RFC 4648), which older magnets use. */
function hexOf(letters: string): string {
  const bits = letters.replaceAll(/./g, (letter) => base32.indexOf(letter).toString(2).padStart(5, '0'))
  return (bits.match(/.{4}/g) ?? []).map((four) => Number.parseInt(four, 2).toString(16)).join('')
}
