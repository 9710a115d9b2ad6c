/**
 * For tests: a PKCS#12 file, which nothing here can write. It holds the certificate of a server (`localhost`), its key, and
 * the authority that has signed it; the same authority has signed the certificate of a client.
 */

export const PASSPHRASE = 'secret'

export const SERVER_PFX = bytes([
  'MIIFPAIBAzCCBPIGCSqGSIb3DQEHAaCCBOMEggTfMIIE2zCCA5IGCSqGSIb3DQEHBqCCA4MwggN/AgEAMIIDeAYJKoZIhvcNAQcB',
  'MFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj03g+VwSXnXgICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEC9X',
  'GeRz88gWpy8rPC9Feb2AggMQz4vyg8G2bpuqeSfRtBKKLMJh152+x3hdBIpydBkZhZMznud8ia8vsR8Sj5Gj/81j+LDzZMEMqCx+',
  'jWvgunVZIFeZ864zc0fhTGcBf/euCQv7U8wXcIBle51VCQEqfSue530EHQ6RDYs7DDD6nlIh+JIjDWlpxeqLNW7zuSxjPjnuiu73',
  'E9sBF2MFIhDzYN7Io4BsQBH9MspVamFrkllmLXQGTy9WiZ295UqrRfhq2JIeMhorYEjwU7A/xhd0l6jMjVT4cPXcMjE9cDmNrT3/',
  'Db2n/mB+q0KiY5icvEB7k/H8dDYo2yN8i1rAg8+LXautMkmVkm7zsjVAVE/x2bL9GN9ged9h8esbnVyM5lzHKq0K36CErSYVDYf6',
  'eY4kxmT7P53R1uGo2UTMoFVArfuVbYmhN+uWsDAp+fHHgVtYGLnZpDQJyda4rMSlUAA8Bwv2Qtwh5s/jHYlwO1AIuob4yO98Pgi3',
  'Rjhbef1WP41IE0L6PZHAUGJaj8Z79mF7lnK3Pe61ZVJovLQLZbaeAeRupmtuQofb/xKAw+O602RFqMAMZKJ5PP0lKHnrAMzvHGPV',
  'w0Rc5ffaEoCJrCeGuUvzo2V6MWYE5tXpmFmcQhL92+iJsA7FJDaCBbklQMVNdhl4MWiNmIzp9PEedBUUVApS5f1ggvmkUjTfgPVR',
  'rX/zgCX+m35XGD/jNDzXmSoYJyRtrhezkiDU1MaBcY6zKHdclihN8RNpJtw/XpkGzTUjN55ZUjJv/zVr0V/brDV8j8fPZQvi3O8c',
  'iDyfm8yejxrYTy6WgDTcFdp0Ep1m8a7FbDisnLECYoSs+/Cb0x6ZW68EkCWd+QP7+gORoJ8yHl5JobfNyb845damlSFEO17Fv8nJ',
  'HhyJJlPcXpqkEdxB9yp22Od4iFCE8OaoRhhj473Qbw9yU3FNBngb7Q+OQ3qeOOmZ0NAghVxdR7bmqQqjTQiKyD+Ko4JF/VWr2icc',
  '2nVeEmCQ01H767gv4W+HTvcGfZv73liOLeMaW5llRnjK7zfISGx+UIgblP1WBOawmF3x9jCCAUEGCSqGSIb3DQEHAaCCATIEggEu',
  'MIIBKjCCASYGCyqGSIb3DQEMCgECoIHvMIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhvv0Ymb7Xu2QICCAAwDAYI',
  'KoZIhvcNAgkFADAdBglghkgBZQMEASoEEHR+ysbo3rHOs/7YMLZG6ToEgZA8Pmk0vap06cZxrDgJzU7ZBzxzm0r1VdVaTJmkE+FO',
  'nvs+VEuqqgrn3XSzg6X9Emb0+URxqN5ZVGQ+dkkJvqpT+0oduSlghG97eR7ViAr54yCxtn9M9eJVqZhUfRH8lGTbFa4iq5uT6vwk',
  't+kVI+whJHBKDBsf6hw5qcClKKOr9AlNx9b5eBnywcEpBE8VbmIxJTAjBgkqhkiG9w0BCRUxFgQUE+0fmJLNKAZTDtSyiDOv9BCc',
  'og0wQTAxMA0GCWCGSAFlAwQCAQUABCBg8HTfgGAI7W/7nRd1FwYXlmUvliEOgvXqSdD8UeDaUgQIjXwT1vdlsiECAggA',
])

export const CLIENT_OF_ITS_AUTHORITY = {
  pem: pem('CERTIFICATE', [
    'MIIBMjCB2aADAgECAgROnRLqMAoGCCqGSM49BAMCMB8xHTAbBgNVBAMMFGF1dGhvcml0eSBpbiBQS0NTIzEyMCAXDTIwMDEwMTAw',
    'MDAwMFoYDzIwOTkwMTAxMDAwMDAwWjATMREwDwYDVQQDEwhpbnRydWRlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAu508NT',
    'ffZDEa01AZvWhHAenVDrcQ/d0c8ZaH/A+F2+ThSObv2ZxUvYCrNeroYJNW8gYJ2z7QeK/ctxvkFsKKqjDTALMAkGA1UdEwQCMAAw',
    'CgYIKoZIzj0EAwIDSAAwRQIgX6URlKH3Tudy31fnFRw3V3GZNqBDpU38sZd3wNH1bhACIQCjHM3otwMBg0kl/LQBi1sWeB3GMNY0',
    'aWd7/Y6spxz+BQ==',
  ]),
  key: pem('PRIVATE KEY', [
    'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3UZawBMx35xH3z7VcF+mF9hTy77mqDbr2qf56sUNnTahRANCAAQL',
    'udPDU332QxGtNQGb1oRwHp1Q63EP3dHPGWh/wPhdvk4Ujm79mcVL2AqzXq6GCTVvIGCds+0Hiv3Lcb5BbCiq',
  ]),
}

function bytes(base64: readonly string[]): Buffer {
  return Buffer.from(base64.join(''), 'base64')
}

function pem(what: string, base64: readonly string[]): string {
  return `-----BEGIN ${what}-----\n${base64.join('\n')}\n-----END ${what}-----\n`
}
