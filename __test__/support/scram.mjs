// The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677): what it says to the messages of a client that knows the password.
import { createHmac, pbkdf2Sync } from 'node:crypto'

const ITERATIONS = 4096
const salt = Buffer.from('a salt of tests')

const hmac = (key, text) => createHmac('sha256', key).update(text).digest()

export class ScramServer {
  #password
  #clientFirst
  #serverFirst

  constructor(password) {
    this.#password = password
  }

  /** Answers the body of a SASLInitialResponse: the mechanism's name, a length, the client's first message. */
  first(body) {
    this.#clientFirst = /n=[^,]*,r=.*$/s.exec(body.toString())[0]
    const nonce = /r=(.*)$/.exec(this.#clientFirst)[1]
    this.#serverFirst = `r=${nonce}server,s=${salt.toString('base64')},i=${ITERATIONS}`
    return this.#serverFirst
  }

  /** Answers the client's final message with the proof that this server knows the password. */
  final(body) {
    const withoutProof = /^(.*),p=/s.exec(body.toString())[1]
    const salted = pbkdf2Sync(this.#password, salt, ITERATIONS, 32, 'sha256')
    const signature = hmac(hmac(salted, 'Server Key'), `${this.#clientFirst},${this.#serverFirst},${withoutProof}`)
    return `v=${signature.toString('base64')}`
  }
}
