import Uppy from '@uppy/core'
import Tus from '@uppy/tus'

/** What the page is to upload: bytes that `test` can make too, by a client as its manual shows it. */
export interface Wanted {
  endpoint: string
  token: string
  name: string
  size: number
  /** Of the bytes: the nth is `n % modulus`. */
  modulus: number
  /** Pauses once that many are there. */
  pauseAt: number
}

let uppy: Uppy | undefined
let paused = false
let uploading: Promise<{ failed: string[]; complete: number }> | undefined

/** Begins the upload. Resolves once it was paused. */
export function uploadAndPause({ endpoint, token, name, size, modulus, pauseAt }: Wanted): Promise<void> {
  const bytes = new Uint8Array(size)
  for (let n = 0; n < size; n++) bytes[n] = n % modulus
  const client = new Uppy()
  uppy = client
  client.use(Tus, { endpoint, headers: { authorization: `Bearer ${token}` }, chunkSize: 1_000_000 })
  client.addFile({ name, type: 'application/octet-stream', data: new Blob([bytes]) })
  return new Promise((resolve, reject) => {
    client.on('upload-progress', (_file, { bytesUploaded }) => {
      if (paused || bytesUploaded < pauseAt) return
      paused = true
      client.pauseAll()
      resolve()
    })
    uploading = client.upload().then((result) => ({
      failed: (result?.failed ?? []).map(({ error }) => error ?? 'failed'),
      complete: result?.successful?.length ?? 0,
    }))
    uploading.then(({ failed }) => reject(new Error(`over before it was paused: ${failed.join()}`)), reject)
  })
}

/** Goes on with what was paused, to its end. */
export async function resume(): Promise<{ failed: string[]; complete: number } | undefined> {
  uppy?.resumeAll()
  return await uploading
}
