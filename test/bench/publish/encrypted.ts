import { largePart } from './large.ts'

export const encrypted = largePart('encrypted', 'encrypted_ratio', (url, source, name) => [
  '--upload-file',
  source,
  `${url}/v1/media?name=${name}&encrypt=true`,
])
