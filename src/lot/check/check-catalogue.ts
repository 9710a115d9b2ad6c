/** Diagnostics of names and meaning: LOT3xxx are errors, LOT4xxx warnings. */
import { ACTION_CATALOGUE } from './action-catalogue.js'
import { DOUBT_CATALOGUE } from './doubt-catalogue.js'
import { MODEL_CATALOGUE } from './model-catalogue.js'
import { ROUTE_CATALOGUE } from './route-catalogue.js'

export const CHECK_CATALOGUE = {
  ...ACTION_CATALOGUE,
  ...MODEL_CATALOGUE,
  ...ROUTE_CATALOGUE,
  ...DOUBT_CATALOGUE,
} as const
