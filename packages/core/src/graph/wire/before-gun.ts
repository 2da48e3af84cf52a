/**
 * Evaluated before GUN, which captures these at load. Its own streaming parser (YSON) drops records when it cuts a
 * string in two, and its fallback calls back twice when the callback throws; both become plain JSON.
 */
interface AsyncJson {
  parseAsync?: unknown
  stringifyAsync?: unknown
}

type Done = (error: unknown, result?: unknown) => void

const json = JSON as unknown as AsyncJson
export const replaced = { parseAsync: json.parseAsync, stringifyAsync: json.stringifyAsync, log: console.log }

json.parseAsync = (text: string, done: Done): void => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return done(error)
  }
  done(undefined, value)
}

json.stringifyAsync = (value: unknown, done: Done, replacer?: (key: string, value: unknown) => unknown): void => {
  let text: string
  try {
    text = JSON.stringify(value, replacer)
  } catch (error) {
    return done(error)
  }
  done(undefined, text)
}

// GUN greets on load; standard output belongs to log lines and printed settings.
console.log = () => undefined
