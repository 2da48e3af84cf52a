import type { Ledger } from './port.ts'
import { SqliteLedger } from './sqlite-ledger.ts'
import { ValkeyLedger } from './valkey-ledger.ts'

export interface LedgerSettings {
  access: { mode: string }
  ledger: { file: string }
  cluster: { valkey: string }
}

/**
 * The ledger that the settings name: of several machines before that of one, undefined for none.
 *
 * @param now milliseconds since 1970
 * @throws SettingsError when passkeys are asked for and kept nowhere
 */
export const ledgerOf = ({ ledger, cluster }: LedgerSettings, now: () => number): Ledger | undefined => {
  if (cluster.valkey !== '') return new ValkeyLedger(cluster.valkey, now)
  return ledger.file === '' ? undefined : new SqliteLedger(ledger.file, now)
}
