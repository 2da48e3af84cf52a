import { largePart } from './large.ts'

export const put = largePart('put', 'put_ratio', (url, source, name) => [
  '--upload-file',
  source,
  `${url}/v1/media?name=${name}`,
])
