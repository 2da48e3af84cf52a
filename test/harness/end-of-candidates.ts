import { RTCPeerConnection } from 'webrtc-polyfill'

let told = false

/**
 * Has the WebRTC library of Node, in this process, say when the candidates of a connection are complete. It never does
 * so by itself, and simple-peer waits 5 s for it with every offer and every answer.
 */
export function tellEndOfCandidates(): void {
  if (told) return
  told = true
  for (const method of ['createOffer', 'setRemoteDescription'] as const) {
    const original = RTCPeerConnection.prototype[method] as (this: RTCPeerConnection, ...args: unknown[]) => unknown
    Object.assign(RTCPeerConnection.prototype, {
      [method](this: RTCPeerConnection, ...args: unknown[]) {
        this.addEventListener('icegatheringstatechange', () => {
          if (this.iceGatheringState !== 'complete') return
          this.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate: null }))
        })
        return original.call(this, ...args)
      },
    })
  }
}
