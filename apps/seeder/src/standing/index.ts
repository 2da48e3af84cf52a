export type * from './port.ts'
export { whyCodes, whyOf, type Why } from './why.ts'
