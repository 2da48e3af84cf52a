import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

const top = resolve(import.meta.dirname, '../..')

/** One `sh` block under a heading such as `## METHOD /path`. */
export interface Example {
  route: string
  script: string
}

/** `get`, `/v1/media/:id/ws/*` -> `GET /v1/media/{}/ws/{}`: one spelling for routers, documents and people. */
export function routeName(method: string, path: string): string {
  return `${method.toUpperCase()} ${path.replaceAll(/\{[^}]*\}|:[A-Za-z]\w*|\*/g, '{}')}`
}

/**
 * The examples below the headings of one level, all of which name routes.
 *
 * @throws Error for a heading of a route with no example, or with two
 */
export async function examplesOf(document: string, level = 2): Promise<Example[]> {
  const text = await readFile(join(top, document), 'utf8')
  return text
    .split(new RegExp(`^(?=#{${level}} )`, 'm'))
    .slice(1)
    .map((section) => {
      const [, method, path] = /^#+ ([A-Z]+) (\/\S*)$/m.exec(section) ?? []
      const blocks = [...section.matchAll(/^```sh\n(.*?)^```/gms)].map((match) => match[1] ?? '')
      const title = section.slice(0, section.indexOf('\n'))
      if (method === undefined || path === undefined) throw new Error(`${document}: "${title}" names no route`)
      if (blocks.length !== 1) throw new Error(`${document}: "${title}" has ${blocks.length} sh blocks instead of one`)
      return { route: routeName(method, path), script: blocks[0] ?? '' }
    })
}
