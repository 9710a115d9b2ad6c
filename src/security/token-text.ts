/** What a JSON Web Token looks like. */

const TOKEN_BYTES_MAX = 16_384
const TOKEN_SHAPE = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/

/** Whether a password is a token rather than a password. */
export function isToken(password: Uint8Array): boolean {
  return password.length <= TOKEN_BYTES_MAX && TOKEN_SHAPE.test(tokenText(password))
}

export function tokenText(password: Uint8Array): string {
  return Buffer.from(password.buffer, password.byteOffset, password.byteLength).toString('latin1')
}
