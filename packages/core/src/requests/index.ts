export { TooManyRequestsError, UnsignedRequestError } from './errors.ts'
export { RequestGate, signRequest } from './signed-request.ts'
export type { IncomingHeaders, NodeRequest } from './signed-request.ts'
