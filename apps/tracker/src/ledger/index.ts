export { LedgerAwayError, LedgerFileError, LedgerFullError, LedgerTooNewError } from './errors.ts'
export { newPasskey, passkeyHash } from './passkey.ts'
export type * from './port.ts'
