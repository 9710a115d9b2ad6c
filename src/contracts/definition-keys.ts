/** Keys of definitions in the store that are known beyond those who write them. */

/** Before the name of a user, of a rule. */
export const USER_KEY = 'user/'
export const RULE_KEY = 'rule/'
/** Before the normalised name of a Python package. */
export const PACKAGE_KEY = 'python-package/'
/** A note, once the seed rules have been put there. */
export const SEEDED_KEY = 'settings/rulesSeeded'
