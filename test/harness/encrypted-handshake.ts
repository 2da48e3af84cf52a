import { createDiffieHellman, createHash, randomBytes } from 'node:crypto'

const prime =
  'ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563'

/** One for all, with a private key at a time: making it takes as long as a hundred handshakes. */
const group = createDiffieHellman(prime, 'hex', 2)

export const keyBytes = prime.length / 2

const sha1 = (...parts: (string | Uint8Array)[]): Buffer => {
  const hash = createHash('sha1')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

const xor = (a: Buffer, b: Buffer): Buffer => a.map((byte, i) => byte ^ (b[i] ?? 0)) as Buffer

/** The calling side of message stream encryption, step by step, so that each step can be done wrongly. */
export class EncryptedHandshake {
  readonly #infoHash: Buffer
  readonly #privateKey = randomBytes(20)
  #secret = Buffer.alloc(0)
  #encrypt = rc4(Buffer.alloc(20))
  #decrypt = rc4(Buffer.alloc(20))

  constructor(infoHash: string) {
    this.#infoHash = Buffer.from(infoHash, 'hex')
  }

  /** Step 1, without padding. */
  get publicKey(): Buffer {
    group.setPrivateKey(this.#privateKey)
    const key = group.generateKeys()
    return Buffer.concat([Buffer.alloc(keyBytes - key.length), key])
  }

  /** Step 2: the other side's key. */
  meet(publicKey: Buffer): void {
    group.setPrivateKey(this.#privateKey)
    const secret = group.computeSecret(publicKey)
    this.#secret = Buffer.concat([Buffer.alloc(keyBytes - secret.length), secret])
    this.#encrypt = rc4(sha1('keyA', this.#secret, this.#infoHash))
    this.#decrypt = rc4(sha1('keyB', this.#secret, this.#infoHash))
  }

  /** Step 3 begins with it, so that the other side finds where the padding ends. */
  get synchronisation(): Buffer {
    return sha1('req1', this.#secret)
  }

  /** Names the torrent to who has it and to nobody else. */
  get item(): Buffer {
    return xor(sha1('req2', this.#infoHash), sha1('req3', this.#secret))
  }

  encrypt(bytes: Uint8Array): Buffer {
    return this.#encrypt(bytes)
  }

  decrypt(bytes: Uint8Array): Buffer {
    return this.#decrypt(bytes)
  }
}

/** What step 3 says encrypted, up to the first payload: eight zeros, the methods offered, padding. */
export function proposal(methods: number, padding: number, payload: number): Buffer {
  const bytes = Buffer.alloc(14 + padding + 2)
  bytes.writeUInt32BE(methods, 8)
  bytes.writeUInt16BE(padding, 12)
  bytes.writeUInt16BE(payload, 14 + padding)
  return bytes
}

/** RC4 without its first 1,024 bytes. OpenSSL 3 has it no more. */
function rc4(key: Uint8Array): (bytes: Uint8Array) => Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, i) => i)
  const at = (i: number): number => state[i & 255] ?? 0
  const swap = (a: number, b: number): void => {
    const kept = at(a)
    state[a] = at(b)
    state[b] = kept
  }
  for (let i = 0, j = 0; i < 256; i++) {
    j = (j + at(i) + (key[i % key.length] ?? 0)) & 255
    swap(i, j)
  }
  let [i, j] = [0, 0]
  const next = (): number => {
    i = (i + 1) & 255
    j = (j + at(i)) & 255
    swap(i, j)
    return at(at(i) + at(j))
  }
  for (let skipped = 0; skipped < 1024; skipped++) next()
  return (bytes) => Buffer.from(bytes).map((byte) => byte ^ next()) as Buffer
}
