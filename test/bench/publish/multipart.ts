import { largePart } from './large.ts'

export const multipart = largePart('multipart', 'multipart_ratio', (url, source, name) => [
  '--form',
  `file=@${source};filename=${name}`,
  `${url}/v1/media`,
])
