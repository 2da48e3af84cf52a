import { createDiffieHellman, randomBytes } from 'node:crypto'
import Wire from 'bittorrent-protocol'

const prime =
  'ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563'
const generator = 2
/** Message stream encryption asks for 160 bits. */
const privateKeyBytes = 20

const group = createDiffieHellman(prime, 'hex', generator)

/** One side's keys of one encrypted handshake. */
export class KeyExchange {
  readonly #privateKey = randomBytes(privateKeyBytes)

  /** The public key; as long as the prime, or shorter by its leading zeros. */
  generateKeys(): Uint8Array {
    group.setPrivateKey(this.#privateKey)
    return group.generateKeys()
  }

  /** @throws Error for a key that would make the secret known to everybody */
  computeSecret(publicKey: Uint8Array): Uint8Array {
    group.setPrivateKey(this.#privateKey)
    return group.computeSecret(publicKey)
  }
}

/**
 * The engine makes a group for each encrypted handshake, and Node checks each time that its prime is one: 40 ms of the
 * only thread, so that 25 strangers a second could stop everything. Here all handshakes share one group.
 */
export function shareKeyGroup(): void {
  const wire = new Wire('tcpIncoming', 1)
  const encryptor = Object.getPrototypeOf(wire._encryptor) as object
  const exchanges = new WeakMap<object, KeyExchange>()
  Object.defineProperty(encryptor, 'dh', {
    get(this: object) {
      const exchange = exchanges.get(this) ?? new KeyExchange()
      exchanges.set(this, exchange)
      return exchange
    },
  })
  wire.destroy()
}
