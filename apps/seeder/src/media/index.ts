export type * from './port.ts'
export { MediaDescriber, type DescriberOptions, type PlainItem } from './describer.ts'
export type { MadePreview } from './describe.ts'
export { isDescribable } from './plan.ts'
