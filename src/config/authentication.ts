/** The part of the configuration that says how clients prove who they are. */
import * as z from 'zod'
import { FILE } from './value-meta.js'

const JWT_ALGORITHMS = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const

const Jwt = z.strictObject({
  secretFile: z
    .string()
    .min(1)
    .optional()
    .describe('File with the shared secret of HS256, HS384 and HS512: at least 32 bytes, without its last line end.')
    .meta({ ...FILE }),
  jwksFile: z
    .string()
    .min(1)
    .optional()
    .describe('File with a JSON Web Key Set; read again when it changes.')
    .meta({ ...FILE }),
  jwksUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Address of a JSON Web Key Set.'),
  algorithms: z
    .array(z.enum(JWT_ALGORITHMS).describe('Algorithm, as a token names it in `alg` of its header.'))
    .min(1)
    .default(['RS256', 'ES256'])
    .describe('Signatures that are accepted.'),
  issuer: z.string().min(1).optional().describe('What the claim `iss` must be; not looked at where left out.'),
  audience: z.string().min(1).optional().describe('What the claim `aud` must hold; not looked at where left out.'),
  userClaim: z.string().min(1).default('sub').describe('Claim with the name of the user.'),
  groupsClaim: z.string().min(1).default('groups').describe('Claim with the groups of the user, a list or one text.'),
  publishClaim: z
    .string()
    .min(1)
    .default('publish')
    .describe(
      'Claim with the topic filters that the user may publish to, within what rules allow; all where it is missing.',
    ),
  subscribeClaim: z
    .string()
    .min(1)
    .default('subscribe')
    .describe(
      'Claim with the topic filters that the user may subscribe to, within what rules allow; all where it is missing.',
    ),
  clockSkewSeconds: z.int().min(0).max(600).default(5).describe('How far clocks may differ for `exp` and `nbf`.'),
})

export const Authentication = z
  .strictObject({
    rootPasswordFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File with the password that `root` gets at the first start. Without it, and without MERLOT_ROOT_PASSWORD, a random one is made and printed once.',
      )
      .meta({ ...FILE }),
    wellKnownRootPassword: z
      .boolean()
      .default(false)
      .describe(
        'For old clients: `root` also has the password `coreflux`, from this machine alone. With `compat: v1` only; anybody on this machine is `root` then.',
      ),
    scram: z
      .array(
        z.enum(['SCRAM-SHA-256', 'SCRAM-SHA-512']).describe('Mechanism, as a client names it in its CONNECT (MQTT 5).'),
      )
      .default([])
      .describe(
        'Mechanisms of enhanced authentication (§4.12). Users whose password was set before a mechanism was named here get it with their next password.',
      ),
    scramIterations: z
      .int()
      .min(4_096)
      .max(10_000_000)
      .default(32_768)
      .describe('Iterations of PBKDF2 for SCRAM; each client computes them when it connects.'),
    passwordBytesMin: z.int().min(1).max(1_024).default(8).describe('Shortest password that a user may be given.'),
    rememberedMax: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(10_000)
      .describe('Logins whose password need not be hashed again when they come back, so that many may return at once.'),
    jwt: Jwt.optional().describe('Accepts JSON Web Tokens as passwords.'),
  })
  .prefault({})
  .superRefine((value, context) => {
    if (value.jwt === undefined) return
    const { secretFile, jwksFile, jwksUrl, algorithms } = value.jwt
    const problem = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: ['jwt', path], message })
    if (secretFile === undefined && jwksFile === undefined && jwksUrl === undefined) {
      problem('jwksFile', 'must be given (or jwksUrl, or secretFile)')
    }
    if (jwksFile !== undefined && jwksUrl !== undefined) problem('jwksUrl', 'is given together with jwksFile: keep one')
    if (algorithms.some((name) => name.startsWith('HS')) && secretFile === undefined) {
      problem('secretFile', 'must be given for HS256, HS384 and HS512')
    }
    if (algorithms.some((name) => !name.startsWith('HS')) && (jwksFile ?? jwksUrl) === undefined) {
      problem('algorithms', 'names signatures whose keys come from jwksFile or jwksUrl, and neither is given')
    }
  })
