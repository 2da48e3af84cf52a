/** `out` is for programs, `note` for people. */
export interface Output {
  out(text: string): void
  note(text: string): void
  /** Resolves after so many milliseconds. */
  pause(ms: number): Promise<unknown>
}

/** What others wrote must not speak to the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** 1234567 as "1.2 MB". */
export function sizeText(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${units[power]}`
}

export function amountText({ items, bytes }: { items: number; bytes: number }): string {
  return `${items} ${items === 1 ? 'item' : 'items'}, ${sizeText(bytes)}`
}
