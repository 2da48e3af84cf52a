export { Credit } from './credit.ts'
export { passageOf } from './passage.ts'
export { Rates } from './rates.ts'
export type { Turn, TurnOf } from './turn.ts'
