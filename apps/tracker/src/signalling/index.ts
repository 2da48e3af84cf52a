export { Signalling } from './signalling.ts'
export { type Caller, Speaker } from './speaker.ts'
