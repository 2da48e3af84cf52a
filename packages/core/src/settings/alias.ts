/** A variable of the environment by which another program knows a setting. Below everything that the operator sets. */
export interface SettingAlias {
  name: string
  /** The setting's dotted key. */
  key: string
  /** From the other program's text to ours. */
  translate?: (text: string) => string
}
