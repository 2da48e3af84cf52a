import { cleanup, type DataChannel, PeerConnection } from 'node-datachannel'
import type { StockBrowser } from '../../interop/browser.ts'

const messageBytes = 64 * 1024
const [high, low] = [1024 * 1024, 256 * 1024]

/**
 * What the two cores allow: one channel to a page that counts the bytes and does nothing else, from a sender that has
 * nothing else to do either. @returns megabytes per second from the first message to the last
 * @throws Error when not all bytes arrive in time
 */
export async function bareChannelRate(browser: StockBrowser, size: number, within = 60_000): Promise<number> {
  const page = await browser.page()
  const connection = new PeerConnection('bench', { iceServers: [], bindAddress: '127.0.0.1', maxMessageSize: 262_144 })
  try {
    // Asked for first: the library tells of it once, and at once.
    const described = gathered(connection)
    const channel = connection.createDataChannel('bench')
    const opened = new Promise<void>((resolve) => channel.onOpen(resolve))
    await page.exposeFunction('answered', (sdp: string) => connection.setRemoteDescription(sdp, 'answer'))
    const rate = page.evaluate(count, { sdp: await described, size, within })
    await Promise.all([rate, opened.then(() => fill(channel, size))])
    return await rate
  } finally {
    connection.close()
    // Its threads would keep the process.
    cleanup()
    await page.context().close()
  }
}

function gathered(connection: PeerConnection): Promise<string> {
  return new Promise((resolve) => {
    connection.onGatheringStateChange((state) => {
      if (state === 'complete') resolve(connection.localDescription()?.sdp ?? '')
    })
  })
}

async function fill(channel: DataChannel, size: number): Promise<void> {
  const message = Buffer.alloc(messageBytes, 7)
  let goOn = (): void => {}
  channel.setBufferedAmountLowThreshold(low)
  channel.onBufferedAmountLow(() => goOn())
  channel.onClosed(() => goOn())
  for (let sent = 0; sent < size && channel.isOpen(); sent += messageBytes) {
    channel.sendMessageBinary(message)
    if (channel.bufferedAmount() > high) await new Promise<void>((resolve) => (goOn = resolve))
  }
}

/** Runs in the page. */
async function count(asked: { sdp: string; size: number; within: number }): Promise<number> {
  const { answered } = globalThis as unknown as { answered(sdp: string): Promise<void> }
  const connection = new RTCPeerConnection()
  return await new Promise<number>((resolve, reject) => {
    setTimeout(() => reject(new Error(`not within ${asked.within} ms`)), asked.within)
    let [bytes, started] = [0, 0]
    connection.addEventListener('datachannel', ({ channel }) => {
      channel.binaryType = 'arraybuffer'
      channel.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => {
        started ||= performance.now()
        bytes += data.byteLength
        if (bytes >= asked.size) resolve(bytes / 1000 / (performance.now() - started))
      })
    })
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState === 'complete') void answered(connection.localDescription?.sdp ?? '')
    })
    connection
      .setRemoteDescription({ type: 'offer', sdp: asked.sdp })
      .then(async () => connection.setLocalDescription(await connection.createAnswer()))
      .catch(reject)
  })
}
