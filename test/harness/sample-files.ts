import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A picture of one pixel. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg==',
  'base64',
)

/** Writes the files that the examples of docs/api.md upload: `notes.txt`, new bytes but as many each time, and `picture.png`. */
export async function sampleFiles(folder: string): Promise<void> {
  await writeFile(join(folder, 'notes.txt'), `Notes of ${randomUUID()}.\n`)
  await writeFile(join(folder, 'picture.png'), png)
}
